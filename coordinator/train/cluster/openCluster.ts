// Chooses where a run happens: scalingConfig.url, TABGRAD_URL, or a coordinator of its own.

import type { TrainerSettings } from '../trainerOptions.ts';
import type { Cluster } from './cluster.ts';
import { openEmbeddedCluster } from './embeddedCluster.ts';

export async function openCluster(
  { options, workers }: TrainerSettings,
  signal: AbortSignal,
): Promise<Cluster> {
  const { scalingConfig = {}, runConfig = {} } = options;
  return openEmbeddedCluster({
    count: workers.max,
    runtime: scalingConfig.runtime ?? 'node',
    device: scalingConfig.device ?? 'auto',
    signal,
    onLine: runConfig.verbose === 2 ? (line) => process.stderr.write(`${line}\n`) : undefined,
  });
}
