// What a round costs beside computing: few rows, many rounds, through a coordinator and worker processes.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { holdMatrix } from '../../oracle/xgboost.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

export const SMALL = { rows: 500, features: 3, rounds: 1000 } as const;
const PARAMS = { objective: 'binary:logistic', max_depth: 6, base_score: 0.5 } as const;

interface SmallTimes {
  /** From the first round that is told of to the last, a round. */
  readonly roundMs: number;
  /** CPU time of this process, which is owner and coordinator, a round. */
  readonly ownCpuMs: number;
}

const random = seededRandom(12);
const rows = Array.from({ length: SMALL.rows }, () => {
  const [a, b, c] = [random(), random(), random()];
  return { a, b, c, y: a + b * c + 0.1 * random() > 0.8 ? 1 : 0 };
});

/** The log loss of the training set is measured each round, as it is by default. */
export async function timeSmall(workers: number): Promise<SmallTimes> {
  const coordinator = await startCoordinator({ port: 0 });
  const storagePath = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  const localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: workers,
    runtime: 'node',
    device: 'cpu',
  });
  const times: number[] = [];
  let cpu = process.cpuUsage();
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type !== 'round') return;
    if (times.length === 0) cpu = process.cpuUsage();
    times.push(performance.now());
  };
  try {
    await new GBDTTrainer({
      datasets: { train: fromItems(rows) },
      labelColumn: 'y',
      params: PARAMS,
      numBoostRound: SMALL.rounds,
      scalingConfig: { numWorkers: workers, url: coordinator.url, token: coordinator.tokens.admin },
      runConfig: { name: randomUUID(), storagePath, verbose: 0, callbacks: [{ onEvent }] },
    }).fit();
    const { user, system } = process.cpuUsage(cpu);
    const steps = times.length - 1;
    return { roundMs: (times.at(-1)! - times[0]!) / steps, ownCpuMs: (user + system) / 1000 / steps };
  } finally {
    await localWorkers.stop();
    await coordinator.close();
    await rm(storagePath, { recursive: true, force: true });
  }
}

/** Milliseconds a round of real XGBoost, its log loss included. */
export function timeSmallOracle(): number {
  const columns = (['a', 'b', 'c'] as const).map((name) => Float32Array.from(rows, (row) => row[name]));
  const matrix = holdMatrix({ columns, labels: Float32Array.from(rows, ({ y }) => y) });
  const booster = matrix.startBooster({ ...PARAMS, eval_metric: 'logloss', nthread: 1 });
  const start = performance.now();
  for (let round = 0; round < SMALL.rounds; round += 1) {
    booster.update(round);
    booster.evaluate(round);
  }
  const roundMs = (performance.now() - start) / SMALL.rounds;
  booster.free();
  matrix.free();
  return roundMs;
}
