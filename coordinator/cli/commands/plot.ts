// `tabgrad plot`: curves, features and trials as a page or a picture.

import { BadArgumentError } from '../cliErrors.ts';
import { defineCommand } from '../command.ts';
import { adminOptions } from '../connectionOptions.ts';

export const plot = defineCommand({
  name: 'plot',
  summary: 'Draw a run or an experiment: a page, or a picture, that needs nothing from elsewhere.',
  positionals: [
    {
      name: 'WHAT',
      help: "Folder of a run or of an experiment; or one that the coordinator knows, by id or name: of such a run there are curves, but no features, and of an experiment whose folder is another machine's no curves.",
    },
  ],
  options: {
    output: {
      type: 'text',
      placeholder: 'FILE',
      help: 'File to write: .html or .svg. Replaced when it exists. Without it NAME-plot.html.',
    },
    metric: {
      type: 'texts',
      placeholder: 'NAME',
      help: 'Metric to draw; of a run also several. Without it all of a run, and of an experiment the one that it tunes.',
    },
    mode: {
      type: 'choice',
      choices: ['max', 'min'],
      help: 'Of an experiment: which end of the metric is best.',
    },
    'log-scale': { type: 'flag', help: 'Values on a logarithmic axis.' },
    ...adminOptions,
  },
  examples: [
    {
      command: 'tabgrad plot results/flights',
      meaning: 'Learning curves, and what the trees make of the features, in flights-plot.html.',
    },
    {
      command: 'tabgrad plot results/flights --output auc.svg --metric train-auc --metric valid-auc',
      meaning: 'Two curves as a picture.',
    },
    { command: 'tabgrad plot results/flights-tune', meaning: 'The trials of an experiment.' },
    {
      command: 'tabgrad plot flights',
      meaning: 'A run of the coordinator of this machine, as far as it is.',
    },
  ],
  async run(values, [word = ''], context) {
    if (word === '') throw new BadArgumentError('WHAT is empty; expected a folder, an id or a name.');
    // Loaded here, as in other commands: help and usage errors need none of the machinery.
    const { plotWhat } = await import('../plotWhat.ts');
    return plotWhat(word, values, context);
  },
});
