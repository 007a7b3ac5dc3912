// What the trials of an experiment share.

import type { PrepareNeural } from '../../train/neural/netRun.ts';
import type { SharedPreparation } from './sharedPreparation.ts';
import type { TrialCluster } from '../../cluster/trialCluster.ts';

export interface TrialPlace {
  readonly cluster: TrialCluster;
  readonly preparation: SharedPreparation;
  readonly tensors: PrepareNeural;
}
