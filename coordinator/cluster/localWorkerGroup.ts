// Keeps a number of local workers alive for one fit: one that ends is replaced, so that a run of an embedded
// coordinator, where no other worker joins, does not wait for ever.

import type { LocalRuntime, LocalWorker } from '../options/localWorker.ts';
import { WorkersLostError } from './local/localErrors.ts';
import type { LocalWorkers } from './local/localWorkers.ts';
import type { LocalWorkersOptions } from './local/localWorkersOptions.ts';

export interface LocalWorkerGroupOptions extends LocalWorkersOptions {
  /** With fewer than this the run can't go on. */
  readonly min: number;
  readonly start: (options: LocalWorkersOptions) => Promise<LocalWorkers>;
}

/** Replacements for each worker that was asked for; a group that loses more has another problem. */
const REPLACEMENTS_PER_WORKER = 3;

export class LocalWorkerGroup {
  readonly #options: LocalWorkersOptions;
  readonly #min: number;
  readonly #startWorkers: LocalWorkerGroupOptions['start'];
  readonly #groups: LocalWorkers[] = [];
  readonly #stopping = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  #alive = 0;
  #replacements: number;
  #fail: (error: unknown) => void = () => undefined;

  /** Resolves when all have joined; rejects when one can't be started. */
  readonly ready: Promise<void>;
  /** Rejects when so many are gone for good that the run can't go on; never resolves. */
  readonly lost: Promise<never>;

  constructor({ min, start, ...options }: LocalWorkerGroupOptions) {
    this.#options = options;
    this.#min = min;
    this.#startWorkers = start;
    this.#replacements = options.count * REPLACEMENTS_PER_WORKER;
    this.lost = new Promise((_, reject) => (this.#fail = reject));
    this.ready = this.#start(options);
    // They are awaited when a run is started, if one is.
    this.lost.catch(() => undefined);
    this.ready.catch(() => undefined);
  }

  async #start(options: LocalWorkersOptions): Promise<void> {
    const { signal } = this.#options;
    const stopping = this.#stopping.signal;
    const group = await this.#startWorkers({
      ...options,
      signal: signal ? AbortSignal.any([signal, stopping]) : stopping,
    });
    this.#groups.push(group);
    this.#alive += group.workers.length;
    for (const worker of group.workers) void this.#watch(worker);
  }

  async #watch(worker: LocalWorker): Promise<void> {
    const reason = await worker.ended;
    if (this.#stopping.signal.aborted) return;
    this.#alive--;
    const replacing = this.#replace(worker.kind, reason);
    this.#pending.add(replacing);
    await replacing;
    this.#pending.delete(replacing);
  }

  async #replace(runtime: LocalRuntime, reason: string): Promise<void> {
    const { count } = this.#options;
    let cause: unknown;
    if (this.#replacements-- > 0) {
      try {
        return await this.#start({ ...this.#options, count: 1, runtime });
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        cause = error;
      }
    }
    if (this.#alive >= this.#min) return;
    const last = cause instanceof Error ? cause.message : reason;
    this.#fail(
      new WorkersLostError(
        `${this.#alive} of ${count} local workers are left, the run needs ${this.#min}, and no more are started. ` +
          `The last one: ${last}`,
        {},
        { cause },
      ),
    );
  }

  /** Ends all workers, those that are still starting too. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ready.catch(() => undefined);
    await Promise.all(this.#pending);
    await Promise.all(this.#groups.map((group) => group.stop()));
  }
}
