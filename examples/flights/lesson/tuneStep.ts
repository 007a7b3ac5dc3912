// Which depth is best? Three trials side by side, each on a worker of its own.

import { formatDuration, formatMetrics } from '../../../coordinator/progress/formatNumbers.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { tuneTable } from '../../../coordinator/tune/progress/tuneTable.ts';
import { gridSearch } from '../../../coordinator/tune/space/domain.ts';
import { Tuner } from '../../../coordinator/tune/tuner.ts';
import { pickMetrics, type Lesson } from './lesson.ts';

const METRIC = 'valid-auc';
const DEPTHS = [4, 6, 8];

/** The best trial's checkpoint. @param share of the training flights that the trials learn from. */
export async function tuneStep(lesson: Lesson, share: number): Promise<Checkpoint> {
  const { coordinator, config, train, valid, rounds, resultsPath, signal, now, say } = lesson;
  const name = `${config.runConfig.name}-tune`;
  const table = tuneTable({
    stream: process.stdout,
    mode: process.stdout.isTTY ? 'live' : 'plain',
    metric: METRIC,
    best: 'max',
    now,
    signal,
  });
  const sampled = share < 1 ? { train: part(train, share), valid: part(valid, share) } : { train, valid };
  try {
    const startedAt = now();
    const tuner = new Tuner({
      trainable: new GBDTTrainer({
        datasets: sampled,
        labelColumn: config.labelColumn,
        params: config.params,
        numBoostRound: rounds,
        scalingConfig: { numWorkers: 1, url: coordinator.url, token: coordinator.tokens.admin },
      }),
      paramSpace: { params: { max_depth: gridSearch(DEPTHS) } },
      tuneConfig: { metric: METRIC, mode: 'max' },
      // A lesson that was called off begins anew; Tuner.restore would go on with its trials.
      runConfig: { name, storagePath: resultsPath, overwrite: true, callbacks: [table.callback] },
    });
    const grid = await tuner.fit({ signal });
    table.close();
    const best = grid.getBestResult();
    if (!best.checkpoint) throw new Error(`Trial ${best.index} left no checkpoint.`);
    say(
      `best of ${grid.length} trials in ${formatDuration(now() - startedAt)}: max_depth ${String(best.params['params.max_depth'])}  ${formatMetrics(pickMetrics(best.metrics, 'valid-'))}`,
    );
    return best.checkpoint;
  } finally {
    table.close();
  }
}

/** Flights of the whole year, drawn at random. */
function part(flights: Lesson['train'], share: number): Lesson['train'] {
  const [, drawn] = flights.trainTestSplit(share, { shuffle: true, seed: 1 });
  return drawn;
}
