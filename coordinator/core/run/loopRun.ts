// The owner's own loop over tensors: its reports are the rounds, and its checkpoints the state that the members hold.

import { readLoopSpec } from '../../../shared/neural/loop/readLoopSpec.ts';
import type { LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { type RunKind, noPayload } from './runKind.ts';

export const loopRun: RunKind<LoopSpec> = {
  readSpec: readLoopSpec,
  totalRounds: (spec) => spec.maxReports,
  check({ maxReports, datasets }, refuse) {
    if (!Number.isSafeInteger(maxReports) || maxReports < 1) {
      refuse('spec.maxReports', `must be a whole number from 1, not ${maxReports}`);
    }
    for (const [name, { rows }] of Object.entries(datasets)) {
      if (!Number.isSafeInteger(rows) || rows < 1) refuse(`spec.datasets.${name}`, 'has no rows');
    }
  },
  recordsEveryRound: false,
  checksRounds: false,
  readPayload: noPayload,
  storesAfterwards: false,
  isProfiled: () => false,
  leasesShards: false,
  sharesRows: () => false,
  // What the owner's code keeps in a checkpoint is its own affair.
  maxUploadBytes: () => Infinity,
  // Every member has a row at least.
  movesShards: () => false,
  usefulWorkers: ({ datasets }) =>
    Math.max(
      1,
      ...Object.values(datasets)
        .slice(0, 1)
        .map(({ rows }) => rows),
    ),
};
