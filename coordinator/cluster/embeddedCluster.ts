// A cluster of this process and workers on the same machine, for as long as one fit.

import type { Cluster } from './cluster.ts';
import { startLocalCoordinator, type LocalCoordinatorOptions } from './localCoordinator.ts';

/** Resolves when the coordinator is up. Workers start meanwhile; a run waits for them, and fails if one can't start. */
export async function openEmbeddedCluster(options: LocalCoordinatorOptions): Promise<Cluster> {
  const { coordinator, crew, close } = await startLocalCoordinator(options);
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
    close,
  };
}
