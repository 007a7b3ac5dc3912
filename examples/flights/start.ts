// What `npm start` runs: the job of flights.yaml on four workers of this machine, one of them a browser tab, with
// everything told that a newcomer wants to know. `npm start -- --help` has the options.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commonOptions } from '../../coordinator/cli/command.ts';
import { optionRows } from '../../coordinator/cli/helpText.ts';
import { listenForInterrupts } from '../../coordinator/cli/interrupts.ts';
import { parseOptions } from '../../coordinator/cli/options.ts';
import { reportError } from '../../coordinator/cli/reportError.ts';
import { textTable } from '../../coordinator/cli/textTable.ts';
import { untilAborted } from '../../coordinator/cli/untilAborted.ts';
import { deriveColumns } from '../../coordinator/config/deriveColumns.ts';
import { loadConfig } from '../../coordinator/config/loadConfig.ts';
import { openSource } from '../../coordinator/config/openSource.ts';
import { startLocalWorkers } from '../../coordinator/local/localWorkers.ts';
import { GBDTPredictor } from '../../coordinator/predict/gbdtPredictor.ts';
import { formatCount, formatDuration, formatMetrics } from '../../coordinator/progress/formatNumbers.ts';
import { terminalProgress } from '../../coordinator/progress/terminalProgress.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/server/coordinator.ts';
import { PortInUseError } from '../../coordinator/server/serverErrors.ts';
import { LocalCrew } from '../../coordinator/train/cluster/localCrew.ts';
import { GBDTTrainer } from '../../coordinator/train/gbdtTrainer.ts';

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
  port: {
    type: 'integer',
    placeholder: 'PORT',
    min: 0,
    max: 65_535,
    default: 7070,
    help: 'Port of the coordinator; a free one is taken when it is in use.',
  },
  device: {
    type: 'choice',
    choices: ['auto', 'webgpu', 'cpu'],
    default: 'auto',
    help: 'What the workers compute on; auto takes WebGPU where a real GPU is there.',
  },
  stay: { type: 'flag', help: 'Keep the coordinator and its workers up afterwards, until Ctrl-C.' },
  verbose: commonOptions.verbose,
  help: commonOptions.help,
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const runtimes = ['browser', 'deno', 'node', 'node'] as const;
/** So many tabs of volunteers may take part besides. */
const MAX_WORKERS = 32;
const PREDICTED_ROWS = 6;

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseOptions('start', options, process.argv.slice(2), process.env);
  if (values.help) {
    say(`npm start -- [options]\n\n${textTable(optionRows(options))}`);
    return;
  }
  const now = (): number => performance.now();
  const startedAt = now();
  const coordinator = await startOnPort(values.port);
  const verboseLine = values.verbose ? { onLine: say } : {};
  const crew = new LocalCrew({
    url: coordinator.url,
    min: runtimes.length,
    count: runtimes.length,
    runtime: runtimes,
    device: values.device,
    signal,
    start: startLocalWorkers,
    ...verboseLine,
  });
  const progress = terminalProgress({
    stream: process.stdout,
    mode: process.stdout.isTTY ? 'live' : 'plain',
    roundsTotal: values.rounds,
    now,
  });
  try {
    const file = fileURLToPath(new URL('flights.yaml', import.meta.url));
    const config = await loadConfig(file, process.cwd());
    const flights = openSource(config.data.train).limit(values.rows);
    const { testSize = 0.3, seed } = config.data;
    const [train, valid] = flights
      .trainTestSplit(testSize, { shuffle: true, seed })
      .map((rows) => deriveColumns(rows, config)) as [typeof flights, typeof flights];

    say(`coordinator at ${coordinator.url}, with ${runtimes.length} workers: ${runtimes.join(', ')}`);
    say(`to lend a tab open ${coordinator.joinUrl}`);
    say(
      `flights: ${formatCount(values.rows)} rows, ${values.rounds} rounds, depth ${String(config.params['max_depth'])}`,
    );

    const trainer = new GBDTTrainer(
      {
        datasets: { train, valid },
        labelColumn: config.labelColumn,
        params: config.params,
        numBoostRound: values.rounds,
        scalingConfig: { numWorkers: [runtimes.length, MAX_WORKERS] },
        runConfig: {
          name: config.runConfig.name,
          storagePath: config.runConfig.storagePath,
          callbacks: [
            {
              onEvent: (event) => progress.event(event),
              onWarning: (text) => progress.line(`warning: ${text}`),
            },
          ],
        },
      },
      {
        now,
        // The coordinator outlives the fit here, so that volunteers can join it from the start to the end.
        openCluster: async () => ({
          url: coordinator.url,
          blobs: coordinator.blobs,
          readBlob: ({ sha256 }) => coordinator.blobs.read(sha256),
          startRun: async (request) => {
            await crew.ready;
            return coordinator.startRun(request);
          },
          close: async () => {},
        }),
      },
    );
    const result = await trainer.fit({ signal });
    progress.close();

    const { prepareMs, waitMs, trainMs } = result.timings;
    say(
      `trained in ${formatDuration(trainMs)}, after ${formatDuration(prepareMs)} of preparing and ${formatDuration(waitMs)} of waiting`,
    );
    say(`validation: ${formatMetrics(pick(result.metrics, 'valid-'))}`);

    say('\nThe first flights of the validation set, with the predicted chance of being late:');
    const predictor = new GBDTPredictor(result.checkpoint, { keepColumns: true });
    const rows = await valid
      .limit(PREDICTED_ROWS)
      .mapBatches((batch) => predictor.call(batch))
      .take(PREDICTED_ROWS);
    say(textTable([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row).map(cell))]));

    const shown = (path: string): string => relative(process.cwd(), path);
    say(`model     ${shown(result.checkpoint.modelPath)}   loads in XGBoost as it is`);
    say(`result    ${shown(result.path)}/result.json, progress.jsonl`);
    say(`in all    ${formatDuration(now() - startedAt)}`);
    if (values.stay) {
      say(`\nThe coordinator stays up at ${coordinator.url} until Ctrl-C.`);
      await untilAborted(signal);
    } else {
      say('\nTo let others lend their machines: npx tabgrad up --host 0.0.0.0 --token SECRET');
      say('It prints the link that volunteers open and an admin token. Train on them with:');
      say('npx tabgrad train CONFIG --url http://HOST:7070 --token ADMIN_TOKEN');
    }
  } finally {
    progress.close();
    await crew.stop();
    await coordinator.close();
  }
}

async function startOnPort(port: number): Promise<Coordinator> {
  try {
    return await startCoordinator({ port });
  } catch (error) {
    if (!(error instanceof PortInUseError)) throw error;
    return startCoordinator({ port: 0 });
  }
}

function pick(metrics: Readonly<Record<string, number>>, prefix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function cell(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}

const interrupts = listenForInterrupts(() => say('\nEnding in order; press Ctrl-C again to end at once.'));
let code = 0;
try {
  await main(interrupts.signal);
} catch (error) {
  code = reportError(error, process.stderr, { json: false, verbose: process.argv.includes('--verbose') });
}
process.exit(interrupts.code() ?? code);
