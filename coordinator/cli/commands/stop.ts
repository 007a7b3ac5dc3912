// `tabgrad stop RUN`: ends a run after the round in flight; what is committed is kept.

import { runSummary } from '../../../shared/api/runAnswers.ts';
import { askForJson } from '../../cluster/remote/askCoordinator.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { findRun } from '../findRun.ts';

export const stop = defineCommand({
  name: 'stop',
  summary: 'End a run after the round in flight; what is committed is kept.',
  positionals: [{ name: 'RUN', help: 'Id of the run, the beginning of it, or its name.' }],
  options: adminOptions,
  examples: [
    { command: 'tabgrad stop flights', meaning: 'End the run called flights that was started last.' },
  ],
  async run(values, [word = ''], context) {
    const { stdout } = context;
    const { json, quiet } = values;
    const address = await coordinatorAddress(values, context);
    const run = await findRun(word, address);
    const stopped = await askForJson(
      address,
      `api/v1/runs/${encodeURIComponent(run.runId)}/stop`,
      runSummary,
      { method: 'POST', json: { reason: 'stopped from the command line' } },
    );
    if (json) stdout.write(`${JSON.stringify(stopped)}\n`);
    else if (!quiet)
      stdout.write(
        run.status === 'running'
          ? `run ${run.name} (${run.runId}) ends after the round in flight\n`
          : `run ${run.name} (${run.runId}) is over already: ${run.status}\n`,
      );
    return exitCodes.ok;
  },
});
