// Which flights are late? The whole lesson in a script: read, split, train on four workers, predict. Run it from the
// repository's root with `npx tsx examples/flights/train.ts`; in a project of your own the import is from 'tabgrad'.

import '../reportErrors.ts';
import { GBDTPredictor, GBDTTrainer, readParquet, type Columns } from '../../coordinator/index.ts';

const rows = Number(process.env['TABGRAD_ROWS'] ?? 3_000_000);
const flights = readParquet('node_modules/vega-datasets/data/flights-3m.parquet').limit(rows);

function features({ date, delay, distance, origin, destination }: Columns): Columns {
  const times = Float64Array.from(date as ArrayLike<number>); // milliseconds since 1970, a Thursday
  return {
    hour: times.map((ms) => Math.floor(ms / 3_600_000) % 24),
    weekday: times.map((ms) => (Math.floor(ms / 86_400_000) + 4) % 7),
    day_of_year: times.map((ms) => Math.floor((ms - Date.UTC(2001)) / 86_400_000) + 1),
    ...({ distance, origin, destination } as Columns),
    is_late: Int8Array.from(delay as ArrayLike<number>, (minutes) => Number(minutes > 15)),
  };
}
const [train, valid] = flights.trainTestSplit(0.3, { shuffle: true, seed: 0 });

const trainer = new GBDTTrainer({
  datasets: { train: train.mapBatches(features), valid: valid.mapBatches(features) },
  labelColumn: 'is_late',
  params: { objective: 'binary:logistic', max_depth: 6, eval_metric: ['logloss', 'auc'] },
  numBoostRound: Number(process.env['TABGRAD_ROUNDS'] ?? 20),
  scalingConfig: { numWorkers: 4 },
  runConfig: { name: 'flights', storagePath: process.env['TABGRAD_RESULTS'] ?? 'results', overwrite: true },
});
const result = await trainer.fit();
console.log(result.metrics, result.checkpoint.modelPath);

const predicted = valid.mapBatches(features).mapBatches(GBDTPredictor, {
  fnConstructorArgs: [result.checkpoint, { keepColumns: true }],
  batchSize: 4096,
});
await predicted.show(5);
