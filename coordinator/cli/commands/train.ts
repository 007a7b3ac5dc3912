// `tabgrad train CONFIG`: from a config file to a model.

import { defineCommand } from '../command.ts';
import { adminOptions, urlOption } from '../connectionOptions.ts';
import { overwriteOption } from '../earlierRun.ts';

export const train = defineCommand({
  name: 'train',
  summary: 'Train a model as a config file says.',
  positionals: [
    { name: 'CONFIG', help: 'A JSON, YAML, TypeScript or JavaScript file; docs/config.md has its keys.' },
  ],
  options: {
    url: {
      ...urlOption,
      help: 'A coordinator that is up already. Without it one is started, with local workers.',
    },
    token: adminOptions.token,
    resume: { type: 'flag', help: 'Go on from the last checkpoint of a run of the name.' },
    ...overwriteOption,
    attach: {
      type: 'flag',
      help: 'Follow a run of the name that goes on, or has ended, at a coordinator that is up, though the process that began it is gone. Its data is not read.',
    },
    profile: {
      type: 'flag',
      help: 'For nets: print where the time of the last step went, and write profile.json and timeline.json.',
    },
  },
  examples: [
    {
      command: 'tabgrad train flights.yaml',
      meaning: 'Train on this machine; results are where the config says.',
    },
    {
      command: 'tabgrad train flights.json --url http://192.168.1.20:7070',
      meaning: 'Train on the workers of a coordinator that is up.',
    },
    {
      command: 'tabgrad train flights.yaml --resume',
      meaning: 'After an interruption: go on from the last checkpoint.',
    },
    {
      command: 'tabgrad train flights.yaml --attach',
      meaning: 'After the terminal went away: follow the run that it began with --url, and get its model.',
    },
    { command: 'tabgrad train flights.json --json | tail -1', meaning: 'The result as JSON, for a script.' },
  ],
  async run(values, [file = ''], context) {
    // Loaded here, as in other commands: help and usage errors need none of the machinery.
    const { trainFromConfig } = await import('../trainFromConfig.ts');
    return trainFromConfig(file, values, context);
  },
});
