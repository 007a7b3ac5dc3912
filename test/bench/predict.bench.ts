// `npm run bench:predict`: rows predicted a second in this process and on 1, 2 and 4 workers (Node, cpu), beside real
// XGBoost's predict in this process, on the same model and rows: flights, 20 trees of depth 6. Workers are started before
// the clock; the first pass warms up readers and compilers and is not counted. At last, what checks of strangers cost.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import {
  Checkpoint,
  GBDTPredictor,
  readParquet,
  startCoordinator,
  startLocalWorkers,
  type Columns,
  type Dataset,
} from '../../coordinator/index.ts';
import { printInMemory } from './predictInMemory.ts';
import { printCheckCosts } from './predictChecks.ts';
import { trainOracle } from '../oracle/xgboost.ts';

const ROWS = Number(process.argv[2] ?? 400_000);
const BATCH_ROWS = 16_384;
const WORKERS = [1, 2, 4];

function features({ date, delay, distance }: Columns): Columns {
  const times = Float64Array.from(date as ArrayLike<number>);
  return {
    hour: Float32Array.from(times, (ms) => Math.floor(ms / 3_600_000) % 24),
    day: Float32Array.from(times, (ms) => Math.floor(ms / 86_400_000) % 7),
    distance: Float32Array.from(distance as ArrayLike<number>),
    late: Float32Array.from(delay as ArrayLike<number>, (minutes) => Number(minutes > 15)),
  };
}

async function rowsPerSecond(predicted: Dataset): Promise<number> {
  const pass = async (): Promise<number> => {
    const begun = performance.now();
    let rows = 0;
    for await (const batch of predicted.iterArrow()) rows += batch.numRows;
    if (rows !== ROWS) throw new Error(`${rows} rows came back, not ${ROWS}`);
    return (1000 * rows) / (performance.now() - begun);
  };
  await pass();
  return pass();
}

await printInMemory();

const folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-bench-'));
const rows = await readParquet('node_modules/vega-datasets/data/flights-3m.parquet')
  .limit(ROWS)
  .mapBatches(features)
  .materialize();
const whole = await rows.takeBatch(ROWS);
const columns = ['hour', 'day', 'distance'].map((name) => whole[name] as Float32Array);
const { booster } = trainOracle(
  { objective: 'binary:logistic', max_depth: 6 },
  { columns, labels: Array.from(whole['late'] as Float32Array) },
  20,
);
const modelFile = path.join(folder, 'model.json');
const model = JSON.parse(booster.save()) as { learner: { feature_names: string[]; feature_types: string[] } };
model.learner.feature_names = ['hour', 'day', 'distance'];
model.learner.feature_types = ['float', 'float', 'float'];
writeFileSync(modelFile, JSON.stringify(model));

console.log(
  `\n${ROWS.toLocaleString('en')} rows, 3 features, 20 trees of depth 6, batches of ${BATCH_ROWS.toLocaleString('en')}; ` +
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} threads\n`,
);
console.log('| where | rows/s | to this process |\n| --- | --- | --- |');
const print = (where: string, rate: number, base: number): void =>
  console.log(`| ${where} | ${Math.round(rate).toLocaleString('en')} | ${(rate / base).toFixed(2)} |`);

const args: [Checkpoint] = [new Checkpoint(modelFile)];
const local = await rowsPerSecond(
  rows.mapBatches(GBDTPredictor, { batchSize: BATCH_ROWS, fnConstructorArgs: args }),
);
print('this process', local, local);
const begun = performance.now();
booster.predict({ columns, labels: [] });
print('XGBoost 1.7.5, in this process', (1000 * ROWS) / (performance.now() - begun), local);

const coordinator = await startCoordinator({ port: 0 });
try {
  for (const count of WORKERS) {
    const localWorkers = await startLocalWorkers({
      url: coordinator.url,
      token: coordinator.tokens.local,
      count,
      runtime: 'node',
      device: 'cpu',
    });
    const onPool = rows.mapBatches(GBDTPredictor, {
      batchSize: BATCH_ROWS,
      concurrency: count,
      fnConstructorArgs: args,
      scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin },
    });
    print(`${count} Node ${count === 1 ? 'worker' : 'workers'}`, await rowsPerSecond(onPool), local);
    await localWorkers.stop();
  }
  await printCheckCosts(rows, args);
} finally {
  await coordinator.close();
  rmSync(folder, { recursive: true });
}
