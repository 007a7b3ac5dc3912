// `tabgrad tune CONFIG`: many trainings of one config, and the best of them.

import { defineCommand } from '../command.ts';
import { adminOptions, urlOption } from '../connectionOptions.ts';
import { overwriteOption } from '../earlierRun.ts';

export const tune = defineCommand({
  name: 'tune',
  summary: 'Search for the best parameters as the tune section of a config file says.',
  positionals: [{ name: 'CONFIG', help: 'A config file with a tune section; docs/config.md has its keys.' }],
  options: {
    url: {
      ...urlOption,
      help: 'A coordinator that is up already. Without it one is started, with local workers.',
    },
    token: adminOptions.token,
    resume: {
      type: 'flag',
      help: 'Go on with an experiment that was interrupted; failed trials are tried again.',
    },
    ...overwriteOption,
  },
  examples: [
    {
      command: 'tabgrad tune flights-tune.yaml',
      meaning: 'Train all trials side by side on this machine; the best model is named at the end.',
    },
    {
      command: 'tabgrad tune flights-tune.yaml --resume',
      meaning: 'After an interruption: finished trials are not trained again.',
    },
  ],
  async run(values, [file = ''], context) {
    const { tuneFromConfig } = await import('../tuneFromConfig.ts');
    return tuneFromConfig(file, values, context);
  },
});
