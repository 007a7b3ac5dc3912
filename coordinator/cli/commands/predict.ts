// `tabgrad predict`: rows in, the same rows with predictions out.

import { defineCommand } from '../command.ts';

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
  async run(values, _positionals, context) {
    const { predictFile } = await import('../predictFile.ts');
    return predictFile(values, context);
  },
});
