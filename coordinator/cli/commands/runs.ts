// `tabgrad runs`: the runs and the tuning experiments that a coordinator knows.

import { experimentsAnswer } from '../../../shared/api/experiment.ts';
import { runsAnswer } from '../../../shared/api/runAnswers.ts';
import { askForJson } from '../../cluster/remote/askCoordinator.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { experimentLines } from '../experimentLines.ts';
import { runRow } from '../listedRows.ts';
import { textTable } from '../textTable.ts';

export const runs = defineCommand({
  name: 'runs',
  summary: 'List the runs of a coordinator, and tuning experiments with their trials.',
  positionals: [],
  options: adminOptions,
  examples: [
    { command: 'tabgrad runs', meaning: 'Runs of the coordinator of this machine, oldest first.' },
    { command: 'tabgrad runs --json', meaning: 'One JSON value a run, and one an experiment.' },
  ],
  async run(values, _positionals, context) {
    const { stdout } = context;
    const { json, quiet } = values;
    const address = await coordinatorAddress(values, context);
    const answer = await askForJson(address, 'api/v1/runs', runsAnswer);
    const { experiments } = await askForJson(address, 'api/v1/experiments', experimentsAnswer);
    if (json) {
      stdout.write([...answer.runs, ...experiments].map((one) => `${JSON.stringify(one)}\n`).join(''));
      return exitCodes.ok;
    }
    if (answer.runs.length > 0) stdout.write(textTable(answer.runs.map(runRow)));
    else if (!quiet) stdout.write('no runs yet\n');
    if (experiments.length > 0) stdout.write(`experiments: ${experiments.length}\n`);
    for (const experiment of experiments) stdout.write(experimentLines(experiment, Date.now()));
    return exitCodes.ok;
  },
});
