// What is seen of a worker beside its state: when it was last heard, what its sockets carried, whom it says to be linked to.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { RunMessage } from './poolWorker.ts';
import type { WorkerSocket } from './workerSocket.ts';

/** Links of a worker to the others of its group, as it told when it was ready. */
export type ToldLinks = WorkerMessageOf<'ready'>['links'];

export interface WorkerActivityFacts {
  /** Since anything was last heard from it. */
  readonly silentMs: number;
  /** Of its control sockets. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Sent to other workers in committed rounds, as it says itself. */
  readonly exchangedBytes: number;
  readonly links: ToldLinks;
  /** Why the owner gives it no more work, where that is so. */
  readonly drained: string | undefined;
}

export class WorkerActivity {
  #heardAtMs: number;
  #sentBytes = 0;
  #receivedBytes = 0;
  #exchangedBytes = 0;
  #links: ToldLinks = [];

  constructor(joinedAtMs: number) {
    this.#heardAtMs = joinedAtMs;
  }

  heard(message: RunMessage): void {
    // Told twice, a worker counts once.
    if (message.type === 'ready')
      this.#links = [...new Map(message.links.map((link) => [link.workerId, link])).values()];
    else if (message.type === 'committed') this.#exchangedBytes += message.bytesSent;
  }

  leftRun(): void {
    this.#links = [];
  }

  settle({ traffic, heardAtMs }: WorkerSocket): void {
    this.#sentBytes += traffic.sentBytes;
    this.#receivedBytes += traffic.receivedBytes;
    this.#heardAtMs = Math.max(this.#heardAtMs, heardAtMs);
  }

  /** @param socket that is open now. */
  seen(nowMs: number, socket: WorkerSocket | undefined): Omit<WorkerActivityFacts, 'drained'> {
    return {
      silentMs: Math.max(0, nowMs - Math.max(this.#heardAtMs, socket?.heardAtMs ?? 0)),
      sentBytes: this.#sentBytes + (socket?.traffic.sentBytes ?? 0),
      receivedBytes: this.#receivedBytes + (socket?.traffic.receivedBytes ?? 0),
      exchangedBytes: this.#exchangedBytes,
      links: this.#links,
    };
  }
}
