// `tabgrad logs RUN`: what a run reported, and with --follow what it reports until it ends.

import { terminalProgress } from '../../progress/terminalProgress.ts';
import { asRunEvent } from '../../cluster/remote/asRunEvent.ts';
import type { ReportedEvent } from '../../../shared/api/runAnswers.ts';
import { followEvents, keptEvents } from '../../cluster/remote/followEvents.ts';
import { OUTAGE_MS } from '../../cluster/remote/outage.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { findRun } from '../findRun.ts';

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show what a run has reported; with --follow also what it reports until it ends.',
  positionals: [{ name: 'RUN', help: 'Id of the run, the beginning of it, or its name.' }],
  options: {
    ...adminOptions,
    follow: { type: 'flag', help: 'Go on with what the run reports, until it ends.' },
  },
  examples: [
    {
      command: 'tabgrad logs flights',
      meaning: 'Rounds, workers and metrics of the run called flights, until now.',
    },
    { command: 'tabgrad logs flights --follow', meaning: 'The same, and what comes until the run ends.' },
    { command: 'tabgrad logs 3f9a2c --json', meaning: 'Every event as a JSON value.' },
  ],
  async run(values, [word = ''], context) {
    const { json, follow } = values;
    const { stdout } = context;
    const options = await coordinatorAddress(values, context);
    const run = await findRun(word, options);
    const progress = terminalProgress({
      stream: stdout,
      mode: 'plain',
      roundsTotal: run.totalRounds,
      now: context.now,
      timed: false,
    });
    try {
      const events = follow
        ? followEvents(run.runId, options, { outageMs: OUTAGE_MS })
        : keptEvents(run.runId, options);
      for await (const event of events) {
        if (json) stdout.write(`${JSON.stringify(event)}\n`);
        else if (event.type === 'end') progress.line(endLine(event));
        else progress.event(asRunEvent(event));
      }
    } catch (error) {
      if (!options.signal.aborted) throw error;
    }
    return exitCodes.ok;
  },
});

function endLine({ status, error }: Extract<ReportedEvent, { type: 'end' }>): string {
  return error === undefined ? status : `${status}: ${error.code}: ${error.message}`;
}
