// What a worker says after its hello: about itself, or for its run; and what does not have the right form.

import type { Clock } from '../../../shared/clock.ts';
import { decodeWorkerMessage } from './decodeWorkerMessage.ts';
import type { PoolCounters } from './poolCounters.ts';
import type { PoolEntry } from './poolEntry.ts';
import type { PoolLog } from './poolLog.ts';
import type { PoolEvent, PoolWorker } from './poolWorker.ts';
import type { WorkerSocket } from './workerSocket.ts';

interface PoolParts {
  readonly clock: Clock;
  readonly counters: PoolCounters;
  readonly log: PoolLog;
  readonly refuse: (socket: WorkerSocket, code: string, message: string) => void;
  readonly change: (entry: PoolEntry, change: Partial<PoolWorker>) => void;
  readonly emit: (event: PoolEvent) => void;
}

export class WorkerMessages {
  readonly #parts: PoolParts;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  receive(entry: PoolEntry, text: string): void {
    const { counters, log, emit } = this.#parts;
    counters.messagesReceived += 1;
    const decoded = decodeWorkerMessage(text, entry.worker.workerId);
    if ('error' in decoded) return this.malformed(entry, decoded.error);
    const { message } = decoded;
    if (message.type === 'available') {
      if (entry.worker.peerId === message.peerId && entry.worker.leaving === entry.drained) return;
      this.#changeByWorker(entry, { peerId: message.peerId, leaving: entry.drained });
    } else if (message.type === 'leaving') {
      if (entry.worker.leaving === message.reason) return;
      if (!this.#changeByWorker(entry, { leaving: message.reason })) return;
      log.worker('left', `is leaving: ${message.reason}`, entry);
    } else if (message.type !== 'hello') {
      const said = message.type === 'several' ? message.messages : [message];
      if (entry.socket?.countFurther(said.length - 1) === false) return;
      entry.heard(said);
      for (const one of said) emit({ type: 'message', worker: entry.worker, message: one });
    }
  }

  malformed(entry: PoolEntry, what: string): void {
    const { counters, log, refuse } = this.#parts;
    counters.malformedMessages += 1;
    log.worker('malformed', `sent a malformed message: ${what}`, entry);
    // A worker of a later minor version may say things that are not known here: they are dropped, within limits.
    if (entry.socket?.forgiveMalformed() === false) refuse(entry.socket, 'BAD_REQUEST', what);
  }

  /** A change that the worker asks for. @returns false when it asks too often; it is dropped then. */
  #changeByWorker(entry: PoolEntry, change: Partial<PoolWorker>): boolean {
    const { clock, refuse } = this.#parts;
    if (entry.mayChange(clock.now())) {
      this.#parts.change(entry, change);
      return true;
    }
    if (entry.socket) refuse(entry.socket, 'RATE_LIMITED', 'Too many changes a second.');
    return false;
  }
}
