// `tabgrad predict`: rows in, the same rows with predictions out.

import { resolve } from 'node:path';
import { deriveColumns } from '../../config/deriveColumns.ts';
import { loadConfig, resolveSource } from '../../config/loadConfig.ts';
import { openSource } from '../../config/openSource.ts';
import { GBDTPredictor } from '../../predict/gbdtPredictor.ts';
import { formatCount, formatDuration } from '../../progress/formatNumbers.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { writeSingleFile } from '../writeSingleFile.ts';

export const predict = defineCommand({
  name: 'predict',
  summary: 'Predict the rows of a file with a trained model.',
  positionals: [],
  options: {
    checkpoint: {
      type: 'text',
      placeholder: 'DIR',
      required: true,
      help: 'Checkpoint folder, or a model.json of XGBoost.',
    },
    data: {
      type: 'text',
      placeholder: 'FILE',
      required: true,
      help: 'Parquet, CSV, JSON lines or Arrow: a file, a folder or an address.',
    },
    out: {
      type: 'text',
      placeholder: 'FILE',
      required: true,
      help: 'File to write: .parquet, .csv or .jsonl. Replaced when it exists.',
    },
    config: {
      type: 'text',
      placeholder: 'CONFIG',
      help: 'Config of the training, for its derived columns.',
    },
  },
  examples: [
    {
      command:
        'tabgrad predict --checkpoint results/flights/checkpoints/20 --data new.parquet --out late.csv',
      meaning: 'All columns of new.parquet, and the column predictions.',
    },
    {
      command:
        'tabgrad predict --checkpoint model.json --data raw.parquet --config flights.yaml --out late.parquet',
      meaning: 'Compute the derived columns of the training first.',
    },
  ],
  async run({ checkpoint, data, out, config, json, quiet }, _positionals, { stdout, cwd, signal, now }) {
    const startedAt = now();
    // All that needs no row is checked before any is read.
    const predictor = new GBDTPredictor(resolve(cwd, checkpoint), { keepColumns: true });
    const source = openSource([resolveSource(data, cwd)]);
    const { derive } = config === undefined ? { derive: {} } : await loadConfig(config, cwd);
    const predicted = deriveColumns(source, { derive, columns: undefined }).mapBatches((batch) =>
      predictor.call(batch),
    );
    const rows = await writeSingleFile(predicted, resolve(cwd, out), signal);
    if (json) stdout.write(`${JSON.stringify({ type: 'predicted', rows, out: resolve(cwd, out) })}\n`);
    else if (!quiet)
      stdout.write(`predicted ${formatCount(rows)} rows in ${formatDuration(now() - startedAt)}: ${out}\n`);
    return exitCodes.ok;
  },
});
