// `tabgrad runs`: the runs that a coordinator knows.

import { runsAnswer } from '../../remote/apiAnswers.ts';
import { askForJson } from '../../remote/askCoordinator.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { runRow } from '../runLines.ts';
import { textTable } from '../textTable.ts';

export const runs = defineCommand({
  name: 'runs',
  summary: 'List the runs of a coordinator.',
  positionals: [],
  options: adminOptions,
  examples: [
    { command: 'tabgrad runs', meaning: 'Runs of the coordinator of this machine, oldest first.' },
    { command: 'tabgrad runs --json', meaning: 'One JSON value a run.' },
  ],
  async run(values, _positionals, { stdout, signal }) {
    const { json, quiet } = values;
    const answer = await askForJson(await coordinatorAddress(values, signal), 'api/v1/runs', runsAnswer);
    if (json) stdout.write(answer.runs.map((run) => `${JSON.stringify(run)}\n`).join(''));
    else if (answer.runs.length > 0) stdout.write(textTable(answer.runs.map(runRow)));
    else if (!quiet) stdout.write('no runs yet\n');
    return exitCodes.ok;
  },
});
