// A token bucket: bursts are fine, a steady flow above the rate is not.

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #refilledAtMs: number;

  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#refilledAtMs = nowMs;
  }

  /** Takes `amount` tokens, on credit where need be. @returns milliseconds until the debt is paid; 0 when there is none. */
  borrow(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens -= amount;
    return Math.max(0, Math.ceil((-this.#tokens / this.#limit.perSecond) * 1000));
  }

  /** Takes `amount` tokens; false when there are not that many, and then nothing is taken. */
  take(amount: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (amount > this.#tokens) return false;
    this.#tokens -= amount;
    return true;
  }

  #refill(nowMs: number): void {
    const { perSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#refilledAtMs) / 1000) * perSecond);
    this.#refilledAtMs = nowMs;
  }
}
