// Boosted trees: a few slow rounds, each recorded with its trees, which are all that a newcomer needs.

import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { usefulWorkers } from '../leasePlan.ts';
import type { RunKind } from './runKind.ts';

export const gbdtRun: RunKind<TrainSpec> = {
  totalRounds: (spec) => spec.numBoostRound,
  check({ numBoostRound }, refuse) {
    if (!Number.isSafeInteger(numBoostRound) || numBoostRound < 1) {
      refuse('spec.numBoostRound', `must be a whole number from 1, not ${numBoostRound}`);
    }
  },
  recordsEveryRound: true,
  leasesShards: true,
  maxUploadBytes: () => 0,
  usefulWorkers: (_spec, shards) => usefulWorkers(shards),
};
