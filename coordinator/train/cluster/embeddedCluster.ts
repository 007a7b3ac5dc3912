// A coordinator inside the owner's process with workers on the same machine, for as long as one fit.

import { startCoordinator } from '../../server/coordinator.ts';
import { startLocalWorkers, type LocalWorkers } from '../../local/localWorkers.ts';
import type { LocalDevice, LocalRuntime } from '../../local/localWorker.ts';
import type { Cluster } from './cluster.ts';

export interface EmbeddedClusterOptions {
  readonly count: number;
  readonly runtime: LocalRuntime | readonly LocalRuntime[];
  readonly device: LocalDevice;
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Resolves when the coordinator is up. Workers start meanwhile; a run waits for them, and fails if one can't start. */
export async function openEmbeddedCluster(options: EmbeddedClusterOptions): Promise<Cluster> {
  const coordinator = await startCoordinator({ port: 0 });
  const { count, runtime, device, signal, onLine } = options;
  const starting = new AbortController();
  const workers: Promise<LocalWorkers> = startLocalWorkers({
    url: coordinator.url,
    count,
    runtime,
    device,
    signal: AbortSignal.any([signal, starting.signal]),
    ...(onLine && { onLine }),
  });
  // startRun reports the failure; when no run is started nobody asks.
  workers.catch(() => undefined);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    starting.abort();
    const started = await workers.catch(() => undefined);
    await started?.stop();
    await coordinator.close();
  };
  return {
    url: coordinator.url,
    blobs: coordinator.blobs,
    async startRun(request) {
      await workers;
      return coordinator.startRun(request);
    },
    close: () => (closing ??= close()),
  };
}
