// Chooses where a run happens: scalingConfig.url, TABGRAD_URL, or a coordinator of its own.

import { ownerAccess } from './remote/ownerAccess.ts';
import { writeToStderr } from '../log/textOutput.ts';
import { environmentAuthorities } from './remote/serverTrust.ts';
import type { RunConfig, ScalingConfig } from '../options/runOptions.ts';
import { MAX_LOCAL_WORKERS } from '../options/localWorker.ts';
import { ownersLog } from '../options/tellOwner.ts';
import { TrainArgumentError } from '../options/trainArgumentError.ts';
import type { Cluster } from './cluster.ts';
import { openEmbeddedCluster } from './embeddedCluster.ts';
import { openRemoteCluster } from './remoteCluster.ts';

/** What decides where a run happens. */
export interface ClusterWish {
  readonly options: {
    readonly scalingConfig?: ScalingConfig | undefined;
    readonly runConfig?: RunConfig | undefined;
  };
  readonly workers: { readonly min: number; readonly max: number };
}

/** @throws TrainArgumentError when more local workers are asked for than one machine should start. */
export async function openCluster({ options, workers }: ClusterWish, signal: AbortSignal): Promise<Cluster> {
  const { scalingConfig = {}, runConfig = {} } = options;
  const url = scalingConfig.url ?? process.env['TABGRAD_URL'];
  if (url !== undefined && url !== '') {
    const access = await ownerAccess(url, scalingConfig.token);
    return openRemoteCluster({ ...access, ca: await environmentAuthorities(access.url, signal), signal });
  }
  if (workers.max > MAX_LOCAL_WORKERS) {
    throw new TrainArgumentError(
      `scalingConfig.numWorkers asks for ${workers.max} workers on this machine, expected at most ` +
        `${MAX_LOCAL_WORKERS}; name a coordinator (scalingConfig.url) whose workers are elsewhere.`,
      { field: 'scalingConfig.numWorkers' },
    );
  }
  return openEmbeddedCluster({
    min: workers.min,
    count: workers.max,
    runtime: scalingConfig.runtime ?? 'node',
    device: scalingConfig.device ?? 'auto',
    signal,
    log: ownersLog(runConfig),
    onLine: runConfig.verbose === 2 ? writeToStderr : undefined,
  });
}
