// Boosted trees: a few slow rounds, each recorded with its trees, which are all that a newcomer needs.

import { readTrainSpec } from '../../../shared/gbdt/readTrainSpec.ts';
import { createHash } from 'node:crypto';
import { TreeFormatError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import { readRoundTrees, treeBounds } from '../../../shared/gbdt/readRoundTrees.ts';
import { areShared } from '../../../shared/gbdt/sharedRows.ts';
import { treeBytes } from '../../../shared/gbdt/treeBytes.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { usefulWorkers } from './leasePlan.ts';
import type { RunKind } from './runKind.ts';
import { allRows } from './speed.ts';

export const gbdtRun: RunKind<TrainSpec> = {
  readSpec: readTrainSpec,
  totalRounds: (spec) => spec.numBoostRound,
  check({ numBoostRound }, refuse) {
    if (!Number.isSafeInteger(numBoostRound) || numBoostRound < 1) {
      refuse('spec.numBoostRound', `must be a whole number from 1, not ${numBoostRound}`);
    }
  },
  recordsEveryRound: true,
  checksRounds: true,
  readPayload(spec, payload) {
    try {
      const bytes = treeBytes(readRoundTrees(payload, treeBounds(spec)));
      return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.byteLength };
    } catch (error) {
      if (error instanceof TreeFormatError) return { error: error.message };
      throw error;
    }
  },
  storesAfterwards: false,
  isProfiled: () => false,
  leasesShards: true,
  sharesRows: ({ sharesRows, features }, shards) =>
    sharesRows === true && areShared(allRows(shards), features.length),
  maxUploadBytes: () => 0,
  movesShards: ({ sharesRows }) => sharesRows !== true,
  usefulWorkers: (_spec, shards) => usefulWorkers(shards),
};
