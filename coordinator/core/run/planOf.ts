// What a run machine has to know of a run, from what was asked for.

import { runKindOf } from './runKinds.ts';
import { allRows } from './speed.ts';
import type { CommittedRound, RunRequest } from './runRequest.ts';
import type { RunPlan, RunTiming } from './runPlan.ts';

export function planOf(
  { runId, shards, spec, workers, maxFailures }: RunRequest,
  timing: RunTiming,
  { checks, maxUnprovenShare }: Pick<RunPlan, 'checks' | 'maxUnprovenShare'>,
  isEnough: (round: CommittedRound) => boolean,
): RunPlan {
  const kind = runKindOf(spec);
  return {
    runId,
    shards,
    workers,
    kind,
    totalRounds: kind.totalRounds(spec),
    readPayload: (payload) => kind.readPayload(spec, payload),
    totalRows: allRows(shards),
    isProfiled: kind.isProfiled(spec),
    usefulWorkers: kind.usefulWorkers(spec, shards),
    sharesRows: kind.sharesRows(spec, shards),
    movesShards: kind.movesShards(spec),
    checks,
    maxUnprovenShare,
    maxFailures,
    isEnough,
    timing,
  };
}
