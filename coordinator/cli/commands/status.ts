// `tabgrad status`: how a coordinator is, with its workers and runs.

import { formatDuration, formatShort } from '../../progress/formatNumbers.ts';
import { statusAnswer } from '../../../shared/api/statusAnswer.ts';
import { workersAnswer } from '../../../shared/api/workerAnswers.ts';
import { askForJson, type CoordinatorAddress } from '../../cluster/remote/askCoordinator.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { experimentRow } from '../experimentLines.ts';
import { runRow, workerRow } from '../listedRows.ts';
import { textTable } from '../textTable.ts';
import { watchBlock } from '../watchBlock.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show how a coordinator is: workers, runs, experiments, deployments, traffic.',
  positionals: [],
  options: {
    ...adminOptions,
    watch: {
      type: 'flag',
      help: 'Show it anew every two seconds until Ctrl-C: in place on a terminal, else one below the other. With --json a value a line.',
    },
  },
  examples: [
    { command: 'tabgrad status', meaning: 'The coordinator of this machine.' },
    { command: 'tabgrad status --watch', meaning: 'The same, and how it changes.' },
    {
      command: 'tabgrad status --url http://192.168.1.20:7070 --json',
      meaning: 'One of another machine, as JSON.',
    },
  ],
  async run(values, _positionals, context) {
    const { stdout } = context;
    const { url, json, watch } = values;
    const address = await coordinatorAddress(values, context);
    const write = json ? jsonText : statusText;
    const show = async (): Promise<string> => write(url, await askForStatus(address));
    if (!watch) stdout.write(await show());
    // JSON is for programs, which want each value, on a terminal too.
    else await watchBlock(context, { block: show, isRedrawn: !json });
    return exitCodes.ok;
  },
});

async function askForStatus(address: CoordinatorAddress) {
  const answer = await askForJson(address, 'api/v1/status', statusAnswer);
  const { workers } = await askForJson(address, 'api/v1/workers', workersAnswer);
  return { ...answer, workers };
}

type Status = Awaited<ReturnType<typeof askForStatus>>;

function jsonText(url: string, { workers, ...answer }: Status): string {
  return `${JSON.stringify({ ...answer, url, workers })}\n`;
}

function statusText(url: string, status: Status): string {
  const { uptimeMs, joinUrl, workers, runs, experiments, applications, traffic } = status;
  const experimentRows = experiments.map((one) => experimentRow(one, Date.now()));
  return (
    `coordinator ${url}, up for ${formatDuration(uptimeMs)}\n` +
    `to lend a tab open ${joinUrl}\n\n` +
    `workers: ${workers.length}\n${textTable(workers.map(workerRow))}` +
    `runs: ${runs.length}\n${textTable(runs.map(runRow))}` +
    `experiments: ${experiments.length}\n${textTable(experimentRows)}` +
    `deployments: ${applications.length}\n${textTable(applications.flatMap(deploymentRows))}` +
    `traffic: ${Object.entries(traffic)
      .map(([purpose, bytes]) => `${purpose} ${formatShort(bytes.sentBytes + bytes.receivedBytes)}B`)
      .join(', ')}\n`
  );
}

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
