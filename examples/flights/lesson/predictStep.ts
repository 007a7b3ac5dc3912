// The chance of being late of every flight of the validation set, computed by the workers and written as Parquet.

import { join } from 'node:path';
import { textTable } from '../../../coordinator/cli/textTable.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { formatCount, formatDuration, formatShort } from '../../../coordinator/progress/formatNumbers.ts';
import type { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import type { Lesson } from './lesson.ts';

const SHOWN_ROWS = 6;
const BATCH_ROWS = 16_384;

type Row = Readonly<Record<string, unknown>>;

/** The first flights, with what was predicted for them. */
export async function predictStep(
  { coordinator, config, valid, resultsPath, signal, now, say }: Lesson,
  checkpoint: Checkpoint,
  workers: number,
): Promise<readonly Row[]> {
  const startedAt = now();
  const folder = join(resultsPath, config.runConfig.name, 'predictions');
  const files = await valid
    .mapBatches(GBDTPredictor, {
      fnConstructorArgs: [checkpoint, { keepColumns: true }],
      batchSize: BATCH_ROWS,
      concurrency: workers,
      scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin },
    })
    .writeParquet(folder, { mode: 'overwrite', signal });
  const ms = now() - startedAt;
  const predicted = readParquet(files);
  const count = await predicted.count();
  const rate = formatShort((count / ms) * 1000);
  say(`predicted ${formatCount(count)} flights in ${formatDuration(ms)}, ${rate} a second`);
  const rows = await predicted.take(SHOWN_ROWS);
  say(textTable([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row).map(cell))]).trimEnd());
  return rows;
}

function cell(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}
