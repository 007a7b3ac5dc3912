// `tabgrad status`: how a coordinator is, with its workers and runs.

import { formatDuration, formatShort } from '../../progress/formatNumbers.ts';
import { statusAnswer } from '../../../shared/api/statusAnswer.ts';
import { workersAnswer } from '../../../shared/api/workerAnswers.ts';
import { askForJson } from '../../cluster/remote/askCoordinator.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { experimentRow } from '../experimentLines.ts';
import { runRow, workerRow } from '../listedRows.ts';
import { textTable } from '../textTable.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show how a coordinator is: workers, runs, experiments, deployments, traffic.',
  positionals: [],
  options: adminOptions,
  examples: [
    { command: 'tabgrad status', meaning: 'The coordinator of this machine.' },
    {
      command: 'tabgrad status --url http://192.168.1.20:7070 --json',
      meaning: 'One of another machine, as JSON.',
    },
  ],
  async run(values, _positionals, context) {
    const { stdout } = context;
    const { url, json } = values;
    const address = await coordinatorAddress(values, context);
    const answer = await askForJson(address, 'api/v1/status', statusAnswer);
    const { workers } = await askForJson(address, 'api/v1/workers', workersAnswer);
    if (json) {
      stdout.write(`${JSON.stringify({ ...answer, url, workers })}\n`);
      return exitCodes.ok;
    }
    const { uptimeMs, joinUrl, runs, experiments, applications, traffic } = answer;
    const experimentRows = experiments.map((one) => experimentRow(one, Date.now()));
    stdout.write(
      `coordinator ${url}, up for ${formatDuration(uptimeMs)}\n` +
        `to lend a tab open ${joinUrl}\n\n` +
        `workers: ${workers.length}\n${textTable(workers.map(workerRow))}` +
        `runs: ${runs.length}\n${textTable(runs.map(runRow))}` +
        `experiments: ${experiments.length}\n${textTable(experimentRows)}` +
        `deployments: ${applications.length}\n${textTable(applications.flatMap(deploymentRows))}` +
        `traffic: ${Object.entries(traffic)
          .map(([purpose, bytes]) => `${purpose} ${formatShort(bytes.sentBytes + bytes.receivedBytes)}B`)
          .join(', ')}\n`,
    );
    return exitCodes.ok;
  },
});

type Application = Awaited<ReturnType<typeof statusAnswer.parse>>['applications'][number];

function deploymentRows({ name, routePrefix, status, message, deployments }: Application): string[][] {
  return deployments.map((deployment) => [
    `${name}/${deployment.name}`,
    deployment.version === undefined ? '' : `version ${deployment.version}`,
    `${deployment.replicas} replica${deployment.replicas === 1 ? '' : 's'}`,
    routePrefix,
    message === '' ? status : `${status}: ${message}`,
  ]);
}
