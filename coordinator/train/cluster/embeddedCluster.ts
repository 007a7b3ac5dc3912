// A coordinator inside the owner's process with workers on the same machine, for as long as one fit.

import { startCoordinator } from '../../server/coordinator.ts';
import { startLocalWorkers } from '../../local/localWorkers.ts';
import type { LocalDevice, LocalRuntime } from '../../local/localWorker.ts';
import type { Cluster } from './cluster.ts';
import { LocalCrew } from './localCrew.ts';

export interface EmbeddedClusterOptions {
  /** Fewest workers that the run can go on with. */
  readonly min: number;
  /** Workers to start. */
  readonly count: number;
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Resolves when the coordinator is up. Workers start meanwhile; a run waits for them, and fails if one can't start. */
export async function openEmbeddedCluster(options: EmbeddedClusterOptions): Promise<Cluster> {
  const { onLine, ...rest } = options;
  const coordinator = await startCoordinator({ port: 0 });
  const crew = new LocalCrew({
    ...rest,
    url: coordinator.url,
    start: startLocalWorkers,
    ...(onLine && { onLine }),
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await crew.stop();
    await coordinator.close();
  };
  return {
    url: coordinator.url,
    blobs: coordinator.blobs,
    readBlob: ({ sha256 }) => coordinator.blobs.read(sha256),
    async startRun(request) {
      await crew.ready;
      const run = coordinator.startRun(request);
      const done = Promise.race([run.done, crew.lost]);
      done.catch(() => run.stop('its workers are gone'));
      return {
        runId: run.runId,
        onEvent: (listener) => run.onEvent(listener),
        done,
        stop: (reason) => run.stop(reason),
      };
    },
    close: () => (closing ??= close()),
  };
}
