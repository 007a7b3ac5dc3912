// What `npm start` runs, the whole lesson: read, split, train on four workers of this machine, one of them a browser tab;
// tune the depth, predict in batches with the best model, serve it. `npm start -- --help` has the options.

import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commonOptions } from '../../coordinator/cli/command.ts';
import { optionRows } from '../../coordinator/cli/helpText.ts';
import { listenForInterrupts } from '../../coordinator/cli/interrupts.ts';
import { leaveTokens } from '../../coordinator/cli/leaveTokens.ts';
import { parseOptions } from '../../coordinator/cli/options.ts';
import { reportError } from '../../coordinator/cli/reportError.ts';
import { textTable } from '../../coordinator/cli/textTable.ts';
import { untilAborted } from '../../coordinator/cli/untilAborted.ts';
import { deriveColumns } from '../../coordinator/config/deriveColumns.ts';
import { loadConfig } from '../../coordinator/config/loadConfig.ts';
import { openSource } from '../../coordinator/config/openSource.ts';
import { startLocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import { formatCount, formatDuration } from '../../coordinator/progress/formatNumbers.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { PortInUseError } from '../../coordinator/http/httpErrors.ts';
import { LocalWorkerGroup } from '../../coordinator/cluster/localWorkerGroup.ts';
import type { Lesson } from './lesson/lesson.ts';
import { predictStep } from './lesson/predictStep.ts';
import { serveStep } from './lesson/serveStep.ts';
import { trainStep } from './lesson/trainStep.ts';
import { tuneStep } from './lesson/tuneStep.ts';

const options = {
  rows: {
    type: 'integer',
    placeholder: 'N',
    min: 100,
    max: 3_000_000,
    default: 3_000_000,
    help: 'Flights to use.',
    env: 'TABGRAD_ROWS',
  },
  rounds: {
    type: 'integer',
    placeholder: 'N',
    min: 1,
    max: 10_000,
    default: 20,
    help: 'Rounds to train.',
    env: 'TABGRAD_ROUNDS',
  },
  'tune-rows': {
    type: 'integer',
    placeholder: 'N',
    min: 100,
    max: 3_000_000,
    default: 600_000,
    help: 'Flights that each of the three trials of tuning uses, drawn at random.',
  },
  port: {
    type: 'integer',
    placeholder: 'PORT',
    min: 0,
    max: 65_535,
    default: 7070,
    help: 'Port of the coordinator; a free one is taken when it is in use.',
  },
  'serve-port': {
    type: 'integer',
    placeholder: 'PORT',
    min: 0,
    max: 65_535,
    default: 8000,
    help: 'Port of the predictions; a free one is taken when it is in use.',
  },
  device: {
    type: 'choice',
    choices: ['auto', 'webgpu', 'cpu'],
    default: 'auto',
    help: 'What the workers compute on; auto takes WebGPU where a real GPU is there.',
  },
  results: {
    type: 'text',
    placeholder: 'DIR',
    help: 'Where results go; results beside this package by default.',
    env: 'TABGRAD_RESULTS',
  },
  exit: { type: 'flag', help: 'End after the lesson, instead of answering until Ctrl-C.' },
  verbose: commonOptions.verbose,
  help: commonOptions.help,
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const runtimes = ['browser', 'deno', 'node', 'node'] as const;

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseOptions('npm start --', options, process.argv.slice(2), process.env);
  if (values.help) {
    say(`npm start -- [options]\n\n${textTable(optionRows(options))}`);
    return;
  }
  const now = (): number => performance.now();
  const startedAt = now();
  const step = (title: string): void => say(`\n${title}  (${formatDuration(now() - startedAt)})`);
  const coordinator = await startOnPort(values.port);
  const left = await leaveTokens(coordinator, { host: '127.0.0.1', env: process.env }, say);
  const localWorkers = new LocalWorkerGroup({
    url: coordinator.url,
    token: coordinator.tokens.local,
    min: runtimes.length,
    count: runtimes.length,
    runtime: runtimes,
    device: values.device,
    signal,
    start: startLocalWorkers,
    ...(values.verbose && { onLine: say }),
  });
  try {
    const config = await loadConfig(fileURLToPath(new URL('flights.yaml', import.meta.url)), process.cwd());
    const flights = openSource(config.data.train).limit(values.rows);
    const { testSize = 0.3, seed } = config.data;
    const [train, valid] = flights
      .trainTestSplit(testSize, { shuffle: true, seed })
      .map((rows) => deriveColumns(rows, config)) as [typeof flights, typeof flights];
    const resultsPath = resolve(values.results ?? config.runConfig.storagePath);
    const lesson: Lesson = {
      coordinator,
      config,
      train,
      valid,
      rounds: values.rounds,
      resultsPath,
      workersReady: localWorkers.ready,
      signal,
      now,
      say,
    };

    say(`coordinator at ${coordinator.url}, with ${runtimes.length} workers: ${runtimes.join(', ')}`);
    say(`to lend a tab open ${coordinator.joinUrl}`);
    const count = formatCount(values.rows);
    step(`Train  ${count} flights, ${values.rounds} rounds, depth ${String(config.params['max_depth'])}`);
    const result = await trainStep(lesson, runtimes.length);

    const share = Math.min(1, values['tune-rows'] / values.rows);
    const drawn = share < 1 ? `${formatCount(values['tune-rows'])} of the flights` : 'all flights';
    step(`Tune  max_depth over three trials, each on ${drawn} and one worker`);
    const best = await tuneStep(lesson, share);

    step('Predict  with the best checkpoint, in batches on the workers');
    const [first] = await predictStep(lesson, best, runtimes.length);

    step('Serve  the best checkpoint over HTTP');
    const { predictions: _chance, [config.labelColumn]: _label, ...flight } = first ?? {};
    const served = await serveStep(lesson, best, flight, values['serve-port']);
    try {
      say(`\nmodel      ${shown(result.checkpoint.modelPath)}   of all flights; loads in XGBoost as it is`);
      say(`best       ${shown(best.modelPath)}   of the best trial`);
      say(`predicted  ${shown(join(resultsPath, config.runConfig.name, 'predictions'))}`);
      say(`in all     ${formatDuration(now() - startedAt)}`);
      if (values.exit) return;
      say(`\n${served.url} answers, and tabs may join ${coordinator.joinUrl}, until Ctrl-C.`);
      say('To train with machines of others: npx tabgrad up --host 0.0.0.0');
      await untilAborted(signal);
    } finally {
      await served.close();
    }
  } finally {
    await localWorkers.stop();
    await left?.remove();
    await coordinator.close();
  }
}

/** As one may type it. */
function shown(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith('..') ? path : below;
}

async function startOnPort(port: number): Promise<Coordinator> {
  try {
    return await startCoordinator({ port });
  } catch (error) {
    if (!(error instanceof PortInUseError)) throw error;
    return startCoordinator({ port: 0 });
  }
}

const interrupts = listenForInterrupts(() => say('\nEnding in order; press Ctrl-C again to end at once.'));
let code = 0;
try {
  await main(interrupts.signal);
} catch (error) {
  code = reportError(error, process.stderr, { json: false, verbose: process.argv.includes('--verbose') });
}
process.exit(interrupts.code() ?? code);
