// What a run machine has to know of a run, from what was asked for.

import { runKindOf } from './runKinds.ts';
import { allRows } from './speed.ts';
import type { CommittedRound, RunRequest } from './runRequest.ts';
import type { RunPlan, RunTiming } from './runState.ts';

export function planOf(
  { runId, shards, spec, workers, maxFailures }: RunRequest,
  timing: RunTiming,
  checks: RunPlan['checks'],
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
    maxFailures,
    isEnough,
    timing,
  };
}
