// Ray's other style: a function that every worker runs, here with a learning rate that falls from round to round. Run it
// from the repository's root with `npx tsx examples/flights/loop.ts`; in your own project the import is from 'tabgrad'.

import '../reportErrors.ts';
import { GBDTTrainer, readParquet, type Columns, type TrainLoopContext } from '../../coordinator/index.ts';

const rows = Number(process.env['TABGRAD_ROWS'] ?? 300_000);
const flights = readParquet('node_modules/vega-datasets/data/flights-3m.parquet').limit(rows);

function features({ date, delay, distance, origin, destination }: Columns): Columns {
  const times = Float64Array.from(date as ArrayLike<number>); // milliseconds since 1970
  return {
    hour: times.map((ms) => Math.floor(ms / 3_600_000) % 24),
    ...({ distance, origin, destination } as Columns),
    is_late: Int8Array.from(delay as ArrayLike<number>, (minutes) => Number(minutes > 15)),
  };
}
const [train, valid] = flights.mapBatches(features).trainTestSplit(0.3, { shuffle: true, seed: 0 });

/** Travels to the workers as text, so it uses nothing but its arguments. */
async function trainLoop(config: { eta: number; decay: number }, context: TrainLoopContext): Promise<void> {
  while (context.round < context.numBoostRound) {
    const metrics = await context.boost({ eta: config.eta * config.decay ** context.round });
    if (metrics['valid-auc']! > 0.8) return; // good enough: the run ends
  }
}

const trainer = new GBDTTrainer({
  datasets: { train, valid },
  labelColumn: 'is_late',
  params: { objective: 'binary:logistic', max_depth: 6, eval_metric: ['logloss', 'auc'] },
  trainLoopPerWorker: trainLoop,
  trainLoopConfig: { eta: 0.5, decay: 0.9 },
  numBoostRound: Number(process.env['TABGRAD_ROUNDS'] ?? 20),
  scalingConfig: { numWorkers: 2 },
  runConfig: {
    name: 'flights-loop',
    storagePath: process.env['TABGRAD_RESULTS'] ?? 'results',
    overwrite: true,
  },
});
const { metrics, checkpoint } = await trainer.fit();
console.log(metrics, checkpoint.modelPath);
