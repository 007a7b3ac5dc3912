// A control WebSocket in virtual time: both ways in order with random delays; when it breaks, what is under way is lost
// both ways, as it may be with a real one.

import type { ConnectionEvents, ControlConnection } from '../../coordinator/core/pool/controlConnection.ts';
import type { Pool } from '../../coordinator/core/pool/pool.ts';
import type { ManualClock } from '../setup/manualClock.ts';
import type { RandomChoices } from './randomChoices.ts';

export interface WorkerEnd {
  message(text: string): void;
  closed(): void;
}

export class SimulatedSocket {
  readonly #clock: ManualClock;
  readonly #random: RandomChoices;
  readonly #worker: WorkerEnd;
  readonly #coordinator: ConnectionEvents;
  readonly #latencyMs: number;
  #upAtMs = 0;
  #downAtMs = 0;
  #isWorkerEndOpen = true;
  #isCoordinatorEndOpen = true;
  /** Frozen ends answer no pings. */
  isFrozen = false;

  constructor(pool: Pool, clock: ManualClock, random: RandomChoices, worker: WorkerEnd) {
    this.#clock = clock;
    this.#random = random;
    this.#worker = worker;
    this.#latencyMs = random.pick([1, 5, 40]);
    const connection: ControlConnection = {
      remoteAddress: 'memory',
      bufferedBytes: 0,
      send: (text) => this.#down(() => worker.message(text)),
      ping: () => this.#down(() => this.isFrozen || this.#up(() => this.#coordinator.pong())),
      close: (code) => this.#down(() => this.#closeBoth(code)),
      terminate: () => this.break(),
    };
    this.#coordinator = pool.attach(connection);
  }

  get isOpen(): boolean {
    return this.#isWorkerEndOpen;
  }

  send(text: string): void {
    this.#up(() => this.#coordinator.message(text));
  }

  close(code: number): void {
    if (!this.#isWorkerEndOpen) return;
    this.#up(() => this.#closeBoth(code));
    this.#isWorkerEndOpen = false;
  }

  /** The connection breaks; the coordinator notices after `noticeMs`, or by missing pongs when that is Infinity. */
  break(noticeMs = 0): void {
    const wasOpen = this.#isWorkerEndOpen;
    this.#isWorkerEndOpen = false;
    this.isFrozen = true;
    if (wasOpen) this.#clock.after(0, () => this.#worker.closed());
    if (noticeMs === Infinity || !this.#isCoordinatorEndOpen) return;
    this.#clock.after(noticeMs, () => this.#closeCoordinatorEnd(1006));
  }

  #closeBoth(code: number): void {
    const wasOpen = this.#isWorkerEndOpen;
    this.#isWorkerEndOpen = false;
    this.#closeCoordinatorEnd(code);
    if (wasOpen) this.#worker.closed();
  }

  #closeCoordinatorEnd(code: number): void {
    if (!this.#isCoordinatorEndOpen) return;
    this.#isCoordinatorEndOpen = false;
    this.#coordinator.closed(code, '');
  }

  #delay(): number {
    return this.#latencyMs * this.#random.between(0.5, 2) + (this.#random.chance(0.02) ? 800 : 0);
  }

  #up(deliver: () => void): void {
    if (!this.#isWorkerEndOpen) return;
    this.#upAtMs = Math.max(this.#upAtMs, this.#clock.now() + this.#delay());
    this.#clock.after(this.#upAtMs - this.#clock.now(), () => {
      // A break loses what is under way; a close by the worker lets it arrive first.
      if (this.#isCoordinatorEndOpen && !this.isFrozen) deliver();
    });
  }

  #down(deliver: () => void): void {
    this.#downAtMs = Math.max(this.#downAtMs, this.#clock.now() + this.#delay());
    this.#clock.after(this.#downAtMs - this.#clock.now(), () => {
      if (this.#isWorkerEndOpen) deliver();
    });
  }
}
