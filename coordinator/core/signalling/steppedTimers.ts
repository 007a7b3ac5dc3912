// The `peer` package re-arms two timers for ever and gives no way to stop them: a closed coordinator would keep its
// process up, poll and leak. This takes hold of exactly those two, by running the package's code with a setTimeout that
// hands them over, and drives them itself.

type Callback = () => void;

export class SteppedTimers {
  readonly #delaysMs: ReadonlySet<number>;
  readonly #pending = new Set<NodeJS.Timeout>();
  #closed = false;

  /** @param delaysMs Delays of the timers to take hold of; all others stay what they are. */
  constructor(delaysMs: readonly number[]) {
    this.#delaysMs = new Set(delaysMs);
  }

  /** Runs `work` synchronously; timers that it starts with one of the delays belong to this object. */
  run(work: Callback): void {
    const original = globalThis.setTimeout;
    const captured = (callback: Callback, delayMs?: number, ...rest: unknown[]): unknown => {
      if (delayMs === undefined || !this.#delaysMs.has(delayMs)) {
        return (original as (...all: unknown[]) => unknown)(callback, delayMs, ...rest);
      }
      return this.#start(original, callback, delayMs);
    };
    globalThis.setTimeout = captured as unknown as typeof setTimeout;
    try {
      work();
    } finally {
      globalThis.setTimeout = original;
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }

  #start(startTimer: typeof setTimeout, callback: Callback, delayMs: number): unknown {
    if (this.#closed) return undefined;
    const timer = startTimer(() => {
      this.#pending.delete(timer);
      this.run(callback);
    }, delayMs);
    this.#pending.add(timer);
    return timer;
  }
}
