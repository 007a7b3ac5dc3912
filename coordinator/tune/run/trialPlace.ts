// What the trials of an experiment share.

import type { PrepareNeural } from '../../train/neural/netRun.ts';
import type { SharedPreparation } from './sharedPreparation.ts';
import type { Cluster } from '../../cluster/cluster.ts';

export interface TrialPlace {
  readonly cluster: Cluster;
  readonly preparation: SharedPreparation;
  readonly tensors: PrepareNeural;
}
