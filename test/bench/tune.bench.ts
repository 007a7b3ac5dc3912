// `npm run bench:tune`: what tuning costs beyond the training itself, and trials a minute by groups side by side.
// Real workers (Node, cpu device), one a trial, on 42,000 flights. Training is from the moment a trial's group is formed
// until its last round is reported; the rest between two trials is overhead: writing model and record, proposing, forming
// the next group.

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { GBDTTrainer, randint, readParquet, Tuner, uniform, type Columns } from '../../coordinator/index.ts';

const TRIALS = Number(process.argv[2] ?? 12);
const ROUNDS = 5;
const ROWS = 60_000;

function features({ date, delay, distance, origin, destination }: Columns): Columns {
  const times = Float64Array.from(date as ArrayLike<number>);
  return {
    hour: times.map((ms) => Math.floor(ms / 3_600_000) % 24),
    ...({ distance, origin, destination } as Columns),
    is_late: Int8Array.from(delay as ArrayLike<number>, (minutes) => Number(minutes > 15)),
  };
}

interface Measured {
  /** From the first trial's group to the last trial's end. */
  readonly wallMs: number;
  readonly trainingMs: number;
  readonly firstGroupMs: number;
}

async function measure(groups: number, storagePath: string): Promise<Measured> {
  const [train, valid] = readParquet('node_modules/vega-datasets/data/flights-3m.parquet')
    .limit(ROWS)
    .mapBatches(features)
    .trainTestSplit(0.3, { shuffle: true, seed: 0 });
  const working = new Map<number, number>();
  let trainingMs = 0;
  let firstAt = 0;
  let lastAt = 0;
  const begun = performance.now();
  await new Tuner({
    trainable: new GBDTTrainer({
      datasets: { train, valid },
      labelColumn: 'is_late',
      params: { objective: 'binary:logistic' },
      numBoostRound: ROUNDS,
      scalingConfig: { numWorkers: 1, device: 'cpu' },
    }),
    paramSpace: { params: { max_depth: randint(3, 7), eta: uniform(0.1, 0.5) } },
    tuneConfig: { metric: 'valid-logloss', mode: 'min', numSamples: TRIALS, maxConcurrentTrials: groups },
    runConfig: {
      name: `groups-${groups}`,
      storagePath,
      verbose: 0,
      callbacks: [
        {
          onEvent(event) {
            const now = performance.now();
            if (!('trial' in event)) return;
            const { index } = event.trial;
            if (event.type === 'trial' && event.trial.status === 'running') {
              firstAt ||= now;
              working.set(index, now);
            } else if (event.type === 'report' && event.iteration === ROUNDS) {
              trainingMs += now - (working.get(index) ?? now);
            } else if (event.type === 'trial' && event.trial.status === 'finished') lastAt = now;
          },
        },
      ],
    },
  }).fit();
  return { wallMs: lastAt - firstAt, trainingMs, firstGroupMs: firstAt - begun };
}

const storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-bench-tune-'));
try {
  console.log(
    `${TRIALS} trials of ${ROUNDS} rounds on ${ROWS * 0.7} rows, one Node worker (cpu) each, ${availableParallelism()} cores`,
  );
  const table: Record<string, string>[] = [];
  let single: number | undefined;
  for (const groups of [1, 2, 4]) {
    const { wallMs, trainingMs, firstGroupMs } = await measure(groups, storagePath);
    const perMinute = (TRIALS * 60_000) / wallMs;
    single ??= perMinute;
    table.push({
      groups: String(groups),
      'until the first group (ms)': firstGroupMs.toFixed(0),
      'training a trial (ms)': (trainingMs / TRIALS).toFixed(0),
      // Side by side the training overlaps, and nothing is left to tell what is overhead.
      'overhead a trial (ms)': groups === 1 ? ((wallMs - trainingMs) / TRIALS).toFixed(0) : '',
      'trials a minute': perMinute.toFixed(0),
      'over one group': (perMinute / single).toFixed(2),
    });
  }
  console.table(table);
} finally {
  rmSync(storagePath, { recursive: true, force: true });
}
