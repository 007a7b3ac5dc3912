// `tabgrad predict`: rows in, the same rows with predictions out.

import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { defineCommand } from '../command.ts';
import { readFlags } from '../readFlags.ts';

export const predict = defineCommand({
  name: 'predict',
  summary: 'Predict the rows of a file with a trained model.',
  positionals: [],
  options: {
    checkpoint: {
      type: 'text',
      placeholder: 'DIR',
      required: true,
      help: 'Checkpoint folder of trees or of a net, or a model file of XGBoost (JSON or UBJSON) or tfjs.',
    },
    data: {
      type: 'text',
      placeholder: 'FILE',
      required: true,
      help: 'Parquet, CSV, JSON lines or Arrow: a file, a folder or an address.',
    },
    ...readFlags,
    out: {
      type: 'text',
      placeholder: 'FILE',
      required: true,
      help: 'File to write: .parquet, .csv or .jsonl. Replaced when it exists.',
    },
    config: {
      type: 'text',
      placeholder: 'CONFIG',
      help: 'Config of the training, for the derived columns that the model needs and for how files are read (data.csv, data.json, data.read).',
    },
    workers: {
      type: 'integer',
      placeholder: 'N',
      min: 1,
      max: 64,
      help: 'Predict on N local workers, or on N workers of --url. Without both: in this process.',
    },
    runtime: {
      type: 'choice',
      choices: runtimes,
      help: 'What those workers run on; node where they are started here.',
    },
    device: {
      type: 'choice',
      choices: deviceKinds,
      help: 'What a net is computed on, here or on the workers. Without it: the processor.',
    },
    url: {
      type: 'url',
      placeholder: 'URL',
      help: 'Predict on the workers of the coordinator at this address, or of this join link.',
    },
    token: {
      type: 'text',
      placeholder: 'TOKEN',
      help: "That coordinator's admin token. Not needed for one that you started on this machine.",
      env: 'TABGRAD_ADMIN_TOKEN',
    },
    'batch-size': {
      type: 'integer',
      placeholder: 'ROWS',
      min: 1,
      max: 1_000_000,
      default: 16_384,
      help: 'Rows that travel to a worker at a time.',
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
    {
      command:
        'tabgrad predict --checkpoint model.json --data new.parquet --out late.parquet --url http://127.0.0.1:7070',
      meaning: 'On all workers of a pool; lost ones are made up for.',
    },
  ],
  async run(values, _positionals, context) {
    const { predictFile } = await import('../predictFile.ts');
    return predictFile(values, context);
  },
});
