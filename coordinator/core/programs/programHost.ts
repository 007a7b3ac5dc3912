// Gives workers of the pool to programs, in the order in which they were asked for. A worker that runs programs takes part
// in no run, and the other way round; several programs may share a worker, one for each of its cores.

import { AbortedError } from '../../../kernels/errors.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { Pool } from '../pool/pool.ts';
import type { PoolWorker } from '../pool/poolWorker.ts';
import { makeId } from '../pool/secrets.ts';
import type { ProgramPipe, Slot, SlotDemand, SlotOptions, SlotSource } from './programPipe.ts';
import { chooseWorker, waitingReason } from './placement.ts';

export interface ProgramHostOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Log;
}

interface Request {
  readonly demand: SlotDemand;
  readonly options: SlotOptions;
  /** Workers that did not open a socket for it, with why. */
  readonly setAside: Map<string, string>;
  reason: string | undefined;
  settle(slot: Slot): void;
}

/** A worker that was asked to dial and has not yet. */
interface Dial {
  readonly workerId: string;
  answered(pipe: ProgramPipe): void;
  failed(why: string): void;
}

/** From the wish until the worker's socket is there. */
const DIAL_TIMEOUT_MS = 20_000;

export class ProgramHost implements SlotSource {
  readonly #options: ProgramHostOptions;
  readonly #requests: Request[] = [];
  readonly #dials = new Map<string, Dial>();
  readonly #open = new Set<ProgramPipe>();
  readonly #unsubscribe: () => void;
  #isPlacing = false;

  constructor(options: ProgramHostOptions) {
    this.#options = options;
    this.#unsubscribe = options.pool.on((event) => {
      if (event.type === 'lost') {
        for (const dial of this.#dials.values()) {
          if (dial.workerId === event.worker.workerId) dial.failed(event.reason);
        }
        // Should it come back, it has not failed yet.
        for (const request of this.#requests) request.setAside.delete(event.worker.workerId);
      }
      if (event.type !== 'message') this.#place();
    });
  }

  slot(demand: SlotDemand, options: SlotOptions = {}): Promise<Slot> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        this.#requests.splice(0, this.#requests.length, ...this.#requests.filter((one) => one !== request));
        reject(new AbortedError(`${demand.name} was called off before it had a worker.`));
      };
      const request: Request = {
        demand,
        options,
        setAside: new Map(),
        reason: undefined,
        settle: (slot) => {
          signal?.removeEventListener('abort', withdraw);
          resolve(slot);
        },
      };
      if (signal?.aborted) return withdraw();
      signal?.addEventListener('abort', withdraw, { once: true });
      this.#requests.push(request);
      this.#place();
    });
  }

  /** A worker dialled. False when no instance waits for it. */
  accept(workerId: string, instanceId: string, pipe: ProgramPipe): boolean {
    const dial = this.#dials.get(instanceId);
    if (dial?.workerId !== workerId) return false;
    dial.answered(pipe);
    return true;
  }

  /** Ends all programs. Those that wait for a worker wait on. */
  close(reason: string): void {
    this.#unsubscribe();
    for (const pipe of this.#open) pipe.close(reason);
  }

  #place(): void {
    // Giving a worker away is a change of the pool, and comes back here.
    if (this.#isPlacing) return;
    this.#isPlacing = true;
    try {
      for (const request of this.#requests.slice()) {
        const workers = this.#options.pool.workers();
        const worker = chooseWorker(workers, request.demand, request.setAside);
        if (worker) void this.#give(worker, request);
        else this.#wait(request, waitingReason(workers, request.demand, request.setAside));
      }
    } finally {
      this.#isPlacing = false;
    }
  }

  #wait(request: Request, reason: string): void {
    if (request.reason === reason) return;
    request.reason = reason;
    request.options.onWaiting?.(reason);
  }

  async #give({ workerId, runtime, device, life, isOwners }: PoolWorker, request: Request): Promise<void> {
    const { pool, log } = this.#options;
    this.#requests.splice(this.#requests.indexOf(request), 1);
    const free = pool.slot(workerId);
    const pipe = await this.#dial(workerId).catch((error: Error) => error);
    if (pipe instanceof Error) {
      log({
        level: 'warn',
        kind: 'program',
        source: workerId,
        message: `${request.demand.name}: ${pipe.message}`,
        workerId,
      });
      if (pool.worker(workerId)?.life === life) request.setAside.set(workerId, pipe.message);
      if (!request.options.signal?.aborted) this.#requests.unshift(request);
      free();
      // The pool tells nothing more of a worker that it lost, and what it told came before the request was back in line.
      this.#place();
      return;
    }
    this.#open.add(pipe);
    const watch = this.#watch(workerId, pipe);
    void pipe.closed.then(() => {
      this.#open.delete(pipe);
      watch.stop();
      free();
    });
    if (request.options.signal?.aborted) return pipe.close('nobody waits for it any more');
    const checksPassed = pool.worker(workerId)?.checksPassed ?? 0;
    const placed = { workerId, runtime, device: device.kind, isOwners, checksPassed };
    request.settle({ worker: placed, pipe, leaving: watch.leaving });
  }

  #dial(workerId: string): Promise<ProgramPipe> {
    const { pool, clock } = this.#options;
    const instanceId = `p-${makeId()}`;
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel();
        this.#dials.delete(instanceId);
      };
      const failed = (why: string): void => {
        over();
        reject(new Error(`worker ${workerId} did not take a program: ${why}`));
      };
      const cancel = clock.after(DIAL_TIMEOUT_MS, () => failed(`no socket within ${DIAL_TIMEOUT_MS} ms`));
      const answered = (pipe: ProgramPipe): void => {
        over();
        resolve(pipe);
      };
      this.#dials.set(instanceId, { workerId, answered, failed });
      if (!pool.send(workerId, { type: 'openProgram', instanceId })) failed('its control socket is lost');
    });
  }

  /** Ends the pipe of a worker that is lost, and says when its volunteer wants it back. */
  #watch(workerId: string, pipe: ProgramPipe): { readonly leaving: Promise<string>; stop(): void } {
    let stop = (): void => undefined;
    const leaving = new Promise<string>((resolve) => {
      stop = this.#options.pool.on((event) => {
        if (event.type === 'message' || event.worker.workerId !== workerId) return;
        if (event.type === 'lost') pipe.close(`worker ${workerId} ${event.reason}`);
        else if (event.worker.leaving !== undefined) resolve(event.worker.leaving);
      });
    });
    return { leaving, stop };
  }
}
