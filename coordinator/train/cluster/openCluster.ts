// Chooses where a run happens: scalingConfig.url, TABGRAD_URL, or a coordinator of its own.

import type { TrainerSettings } from '../trainerOptions.ts';
import type { Cluster } from './cluster.ts';
import { openEmbeddedCluster } from './embeddedCluster.ts';
import { openRemoteCluster } from './remoteCluster.ts';

export function openCluster({ options, workers }: TrainerSettings, signal: AbortSignal): Promise<Cluster> {
  const { scalingConfig = {}, runConfig = {} } = options;
  const url = scalingConfig.url ?? process.env['TABGRAD_URL'];
  if (url !== undefined && url !== '') {
    return openRemoteCluster({ url, token: scalingConfig.token ?? process.env['TABGRAD_TOKEN'], signal });
  }
  return openEmbeddedCluster({
    min: workers.min,
    count: workers.max,
    runtime: scalingConfig.runtime ?? 'node',
    device: scalingConfig.device ?? 'auto',
    signal,
    onLine: runConfig.verbose === 2 ? (line) => process.stderr.write(`${line}\n`) : undefined,
  });
}
