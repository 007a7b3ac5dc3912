// A run of many rounds, written straight into a record as a coordinator would have kept it.

import type { RunRequest } from '../../coordinator/core/run/runRequest.ts';
import type { NumberedEvent, ReportedEvent } from '../../coordinator/core/run/runRecord.ts';
import type { Store } from '../../coordinator/core/store/store.ts';
import { randomFromWords } from '../../shared/text/randomFromWords.ts';
import { treeSpec } from './runSpecs.ts';

export interface RecordedRunOptions {
  readonly runId: string;
  readonly rounds: number;
  readonly metrics: readonly string[];
  readonly workers?: readonly string[];
  readonly request?: Partial<RunRequest>;
  /** Further events, after the round of that number. */
  readonly between?: ReadonlyMap<number, readonly ReportedEvent[]>;
  readonly startedAtMs?: number;
}

/** Milliseconds from one round to the next. */
export const ROUND_MS = 100;
const ROUNDS_AT_ONCE = 1_000;
const shard = { dataset: 'train', index: 0, firstRow: 0, rows: 1_000, sha256: 'a'.repeat(64), sizeBytes: 9 };

/** Metrics fall from 1 towards 0 with noise: by the same numbers each time. The run is finished. */
export async function recordRun(store: Store, options: RecordedRunOptions): Promise<void> {
  const { runId, rounds, metrics, workers = ['worker-a', 'worker-b'], request, between } = options;
  const { startedAtMs = Date.UTC(2026, 0, 1) } = options;
  const random = randomFromWords(3, runId);
  let sequence = 0;
  const numbered = (event: ReportedEvent, round: number): NumberedEvent => ({
    sequence: (sequence += 1),
    event,
    atMs: startedAtMs + round * ROUND_MS,
  });
  const group: ReportedEvent = {
    type: 'group',
    generation: 1,
    workers: workers.map((workerId) => ({ workerId, runtime: 'node', device: 'cpu', rows: 500 })),
  };
  await store.runs.append(runId, {
    started: {
      request: {
        runId,
        name: `Run ${runId}`,
        spec: treeSpec(rounds),
        shards: [shard],
        workers: { min: 1, max: workers.length },
        maxFailures: 0,
        ...request,
      },
      attended: false,
      atMs: startedAtMs,
    },
    group: { generation: 1, members: [] },
    rounds: [],
    events: [numbered(group, 0)],
  });
  for (let from = 0; from < rounds; from += ROUNDS_AT_ONCE) {
    const some = Array.from({ length: Math.min(ROUNDS_AT_ONCE, rounds - from) }, (_, i) => from + i);
    const values = some.map((round) =>
      Object.fromEntries(metrics.map((name, at) => [name, valueOf(round, at, random())])),
    );
    await store.runs.append(runId, {
      rounds: some.map((round, i) => ({ round, payload: [], metrics: values[i]! })),
      events: some.flatMap((round, i) => {
        const timings = workers.map((workerId, at) => ({
          workerId,
          computeMs: 40 + 20 * at,
          exchangeMs: 30,
          bytesSent: 1_000,
        }));
        const told: ReportedEvent = { type: 'round', round, metrics: values[i]!, timings };
        return [told, ...(between?.get(round) ?? [])].map((event) => numbered(event, round + 1));
      }),
    });
  }
  const end: ReportedEvent = { type: 'end', status: 'finished' };
  await store.runs.append(runId, {
    rounds: [],
    events: [numbered(end, rounds)],
    end: { status: 'finished', atMs: startedAtMs + rounds * ROUND_MS },
  });
}

function valueOf(round: number, metric: number, noise: number): number {
  return (metric + 1) / (1 + round / 100) + 0.01 * noise;
}
