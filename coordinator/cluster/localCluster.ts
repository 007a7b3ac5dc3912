// A coordinator inside the owner's process with workers on the same machine, for as long as one piece of work.

import { startCoordinator, type Coordinator } from '../core/server/coordinator.ts';
import type { Log } from '../log/log.ts';
import { MAX_LOCAL_WORKERS, type LocalDevice, type LocalRuntime } from '../options/localWorker.ts';
import type { Cluster } from './cluster.ts';
import { startLocalWorkers, threadsEach } from './local/localWorkers.ts';
import { LocalWorkerGroup } from './localWorkerGroup.ts';
import { TrainArgumentError } from '../options/trainArgumentError.ts';

export interface LocalClusterOptions {
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  /** Of each worker; without it the machine's cores, divided among them. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Of the coordinator; without it warnings and errors go to stderr. */
  readonly log?: Log | undefined;
}

/**
 * Resolves when the coordinator is up; workers start when they are asked for. One that can not be started ends what runs.
 * @throws PortInUseError, StorageError
 */
export async function openLocalCluster(options: LocalClusterOptions): Promise<Cluster> {
  const { log } = options;
  const coordinator = await startCoordinator({ port: 0, ...(log && { log }) });
  const workers = new LocalWorkerPool(coordinator, options);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await workers.stop();
    await coordinator.close();
  };
  return {
    url: coordinator.url,
    blobs: coordinator.blobs,
    readBlob: ({ sha256 }) => coordinator.blobs.read(sha256),
    experiments: coordinator.experiments,
    checkResults: coordinator.checkResults,
    lost: workers.lost,
    ensureWorkers: (count, min) => workers.ensure(count, min),
    freeWorkers: () =>
      coordinator.pool
        .workers()
        .filter(({ runId, programs }) => runId === undefined && programs === 0)
        .filter((worker) => worker.present && worker.leaving === undefined).length,
    ready: () => workers.ready(),
    startRun(request) {
      const run = coordinator.startRun(request);
      const done = Promise.race([run.done, workers.lost]);
      done.catch(() => run.stop('its workers are gone'));
      return Promise.resolve({
        runId: run.runId,
        onEvent: (listener) => run.onEvent(listener),
        done,
        stop: (reason) => run.stop(reason),
      });
    },
    slots: {
      slot: async (...asked) => {
        // All are there first, or the first to join would get every program.
        await workers.ready();
        return coordinator.slots.slot(...asked);
      },
    },
    close: () => (closing ??= close()),
  };
}

/** The cluster's local workers: it grows, and loses its groups only together. */
class LocalWorkerPool {
  readonly lost: Promise<never>;
  readonly #coordinator: Coordinator;
  readonly #options: LocalClusterOptions;
  readonly #groups: LocalWorkerGroup[] = [];
  #count = 0;
  #fail: (error: unknown) => void = () => undefined;

  constructor(coordinator: Coordinator, options: LocalClusterOptions) {
    this.#coordinator = coordinator;
    this.#options = options;
    this.lost = new Promise((_, reject) => (this.#fail = reject));
    // Workers are awaited when a run is started, if one is.
    this.lost.catch(() => undefined);
  }

  ensure(count: number, min: number): void {
    if (count > MAX_LOCAL_WORKERS) {
      throw new TrainArgumentError(
        `scalingConfig.numWorkers asks for ${count} workers on this machine, expected at most ` +
          `${MAX_LOCAL_WORKERS}; name a coordinator (scalingConfig.url) whose workers are elsewhere.`,
        { field: 'scalingConfig.numWorkers' },
      );
    }
    const more = count - this.#count;
    if (more <= 0) return;
    const { onLine, log: _, threads = threadsEach(count), ...options } = this.#options;
    const group = new LocalWorkerGroup({
      ...options,
      url: this.#coordinator.url,
      token: this.#coordinator.tokens.local,
      start: startLocalWorkers,
      threads,
      count: more,
      min: Math.min(min, more),
      ...(onLine && { onLine }),
    });
    this.#count = count;
    this.#groups.push(group);
    group.ready.catch((error: unknown) => this.#fail(error));
    group.lost.catch((error: unknown) => this.#fail(error));
  }

  async ready(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.ready));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.stop()));
  }
}
