// How what happens in the pool is told to the log.

import type { Log, LogKind } from '../../log/log.ts';
import type { PoolEntry } from './poolEntry.ts';

export class PoolLog {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  refused(source: string, why: string): void {
    this.#log({ level: 'warn', kind: 'refused', source, message: `Refused a worker at ${source}: ${why}` });
  }

  convicted(workerId: string, reason: string): void {
    const message = `Worker ${workerId} lied, and is banned: ${reason}`;
    this.#log({ level: 'warn', kind: 'lied', source: workerId, workerId, message });
  }

  ownerAccused(workerId: string, reason: string): void {
    const message = `A defect: there is evidence against the owner's own worker ${workerId}, which is believed: ${reason}`;
    this.#log({ level: 'error', workerId, message });
  }

  worker(kind: LogKind, what: string, entry: PoolEntry | undefined): void {
    const workerId = entry?.worker.workerId;
    const message =
      workerId === undefined ? `A socket without a worker ${what}` : `Worker ${workerId} ${what}`;
    const level = kind === 'joined' || kind === 'left' ? 'info' : 'warn';
    this.#log({ level, kind, message, ...(workerId !== undefined && { workerId, source: workerId }) });
  }
}
