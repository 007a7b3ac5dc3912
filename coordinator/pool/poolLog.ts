// What the pool has to say of its workers, each entry with its kind and whose doing it is.

import type { Log, LogKind } from './log.ts';

export class PoolLog {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  refused(address: string, why: string): void {
    const message = `Refused a worker at ${address}: ${why}`;
    this.#log({ level: 'warn', kind: 'refused', source: address, message });
  }

  /** @param what goes on after the worker's id. @param workerId undefined for a socket of no worker yet. */
  note(kind: LogKind, what: string, workerId: string | undefined): void {
    const level = kind === 'joined' || kind === 'left' ? 'info' : 'warn';
    if (workerId === undefined) this.#log({ level, kind, message: `A socket without a worker ${what}` });
    else this.#log({ level, kind, message: `Worker ${workerId} ${what}`, workerId, source: workerId });
  }
}
