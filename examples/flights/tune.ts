// Which depth predicts late flights best? Three trials side by side on one pool, then the best checkpoint predicts. Run it
// from the repository's root with `npx tsx examples/flights/tune.ts`; in your own project the import is from 'tabgrad'.

import '../reportErrors.ts';
import { GBDTPredictor, GBDTTrainer, gridSearch, readParquet, Tuner } from '../../coordinator/index.ts';
import type { Columns } from '../../coordinator/index.ts';

const rows = Number(process.env['TABGRAD_ROWS'] ?? 300_000);
const flights = readParquet('node_modules/vega-datasets/data/flights-3m.parquet').limit(rows);

function features({ date, delay, distance, origin, destination }: Columns): Columns {
  const times = Float64Array.from(date as ArrayLike<number>); // milliseconds since 1970, a Thursday
  return {
    hour: times.map((ms) => Math.floor(ms / 3_600_000) % 24),
    weekday: times.map((ms) => (Math.floor(ms / 86_400_000) + 4) % 7),
    ...({ distance, origin, destination } as Columns),
    is_late: Int8Array.from(delay as ArrayLike<number>, (minutes) => Number(minutes > 15)),
  };
}
const [train, valid] = flights.mapBatches(features).trainTestSplit(0.3, { shuffle: true, seed: 0 });

const tuner = new Tuner({
  trainable: new GBDTTrainer({
    datasets: { train, valid },
    labelColumn: 'is_late',
    params: { objective: 'binary:logistic', eval_metric: ['logloss', 'auc'] },
    numBoostRound: Number(process.env['TABGRAD_ROUNDS'] ?? 20),
    scalingConfig: { numWorkers: 1 },
  }),
  paramSpace: { params: { max_depth: gridSearch([4, 6, 8]) } },
  tuneConfig: { metric: 'valid-auc', mode: 'max', maxConcurrentTrials: 3 },
  runConfig: {
    name: 'flights-tune',
    storagePath: process.env['TABGRAD_RESULTS'] ?? 'results',
    overwrite: true,
  },
});
const results = await tuner.fit();
console.table(results.getTable());

const best = results.getBestResult();
console.log('best', best.params, best.metrics, best.checkpoint?.modelPath);
if (best.checkpoint) {
  const predicted = valid.mapBatches(GBDTPredictor, {
    fnConstructorArgs: [best.checkpoint, { keepColumns: true }],
    batchSize: 4096,
  });
  await predicted.show(5);
}
