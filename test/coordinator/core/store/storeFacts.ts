// Facts to fill a record with: each can be told from every other.

import { treeSpec } from '../../../setup/runSpecs.ts';
import type { RunFact } from '../../../../coordinator/core/run/runRecord.ts';
import type { CommittedRound, RunRequest } from '../../../../coordinator/core/run/runRequest.ts';

const shard = { dataset: 'train', index: 0, firstRow: 0, rows: 4, sha256: 'a'.repeat(64), sizeBytes: 9 };

export function requestOf(runId: string, change: Partial<RunRequest> = {}): RunRequest {
  return {
    runId,
    name: `name of ${runId}`,
    spec: treeSpec(3),
    shards: [shard],
    workers: { min: 1, max: 2 },
    maxFailures: 0,
    ...change,
  };
}

export function committed(round: number): CommittedRound {
  return { round, payload: [`tree ${round}`, { leaf: -0.5 }], metrics: { loss: 1 / 3 } };
}

export function roundFact(round: number): RunFact {
  return { type: 'round', committed: committed(round) };
}

export function roundEvent(round: number): RunFact {
  return { type: 'event', event: { type: 'round', round, metrics: { loss: 1 / 3 }, timings: [] } };
}
