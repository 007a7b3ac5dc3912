// `tabgrad dump`: the trees of a model in words.

import { dumpFormats } from '../../../shared/gbdt/dump/dumpFormats.ts';
import { defineCommand } from '../command.ts';

export const dump = defineCommand({
  name: 'dump',
  summary: "Print a model's trees.",
  positionals: [
    {
      name: 'MODEL',
      help: 'Checkpoint folder of trees, or a model file of XGBoost (JSON or UBJSON).',
    },
  ],
  options: {
    format: {
      type: 'choice',
      choices: dumpFormats,
      default: 'text',
      help: 'A node a line (text), nested objects (json) or a drawing for Graphviz (dot), as XGBoost has them.',
    },
    'with-stats': { type: 'flag', help: 'Gain and cover of each node too.' },
    tree: {
      type: 'integer',
      placeholder: 'N',
      min: 0,
      max: 100_000_000,
      help: 'This tree alone, counted from 0.',
    },
  },
  examples: [
    { command: 'tabgrad dump results/flights/checkpoints/20 --with-stats', meaning: 'All trees.' },
    {
      command: 'tabgrad dump model.ubj --tree 0 --format dot | dot -Tsvg',
      meaning: 'A picture of the first.',
    },
  ],
  async run(values, [model = ''], context) {
    const { dumpModel } = await import('../dumpModel.ts');
    return dumpModel(model, values, context);
  },
});
