// `tabgrad train CONFIG`: from a config file to a model.

import { relative } from 'node:path';
import { checkColumns, deriveColumns } from '../../config/deriveColumns.ts';
import { loadConfig, type LoadedConfig } from '../../config/loadConfig.ts';
import { openSource } from '../../config/openSource.ts';
import type { Dataset } from '../../data/dataset.ts';
import { formatDuration, formatMetrics } from '../../progress/formatNumbers.ts';
import { terminalProgress, type ProgressMode } from '../../progress/terminalProgress.ts';
import { GBDTTrainer } from '../../train/gbdtTrainer.ts';
import type { Result } from '../../train/result.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, urlOption } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';

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
    { command: 'tabgrad train flights.json --json | tail -1', meaning: 'The result as JSON, for a script.' },
  ],
  async run({ url, token, json, quiet, verbose }, [file = ''], { stdout, stderr, cwd, signal, now }) {
    const config = await loadConfig(file, cwd);
    const mode: ProgressMode = json ? 'json' : quiet ? 'none' : stdout.isTTY === true ? 'live' : 'plain';
    const progress = terminalProgress({ stream: stdout, mode, roundsTotal: config.numBoostRound, now });
    const warn = (message: string): void => {
      if (json) stdout.write(`${JSON.stringify({ type: 'warning', message })}\n`);
      else if (mode === 'live') progress.line(`warning: ${message}`);
      else if (!quiet) stderr.write(`warning: ${message}\n`);
    };
    try {
      const datasets = await openDatasets(config, signal);
      const address = url ?? config.scalingConfig.url;
      const secret = token ?? config.scalingConfig.token;
      const { numWorkers, runtime, device } = config.scalingConfig;
      const trainer = new GBDTTrainer({
        ...trainerKeys(config),
        datasets,
        scalingConfig: {
          numWorkers,
          runtime,
          device,
          ...(address !== undefined && { url: address }),
          ...(secret !== undefined && { token: secret }),
        },
        runConfig: {
          ...config.runConfig,
          checkpointConfig: defined(config.runConfig.checkpointConfig),
          callbacks: [{ onEvent: (event) => progress.event(event), onWarning: warn }],
          verbose: verbose ? 2 : 1,
        },
      });
      const result = await trainer.fit({ signal });
      progress.close();
      if (json) stdout.write(`${JSON.stringify({ type: 'result', ...plainResult(result) })}\n`);
      else for (const line of resultLines(result, cwd)) progress.line(line);
      return exitCodes.ok;
    } finally {
      progress.close();
    }
  },
});

/** Rows to train and to validate on. The split is made before anything is computed, where file footers tell the rows. */
async function openDatasets(config: LoadedConfig, signal: AbortSignal): Promise<Record<string, Dataset>> {
  const { train, valid, testSize, seed, format } = config.data;
  const source = openSource(train, format);
  checkColumns(config, await source.columns({ signal }), config.file);
  if (testSize !== undefined) {
    const [rows, rest] = source.trainTestSplit(testSize, { shuffle: true, seed });
    return { train: deriveColumns(rows, config), valid: deriveColumns(rest, config) };
  }
  const datasets = { train: deriveColumns(source, config) };
  if (valid === null) return datasets;
  const validSource = openSource(valid, format);
  checkColumns(config, await validSource.columns({ signal }), config.file);
  return { ...datasets, valid: deriveColumns(validSource, config) };
}

function trainerKeys(config: LoadedConfig) {
  const { labelColumn, params, numBoostRound } = config;
  const { weightColumn, featureColumns, earlyStoppingRounds, xgbModel, resumeFromCheckpoint } = config;
  return {
    labelColumn,
    params,
    numBoostRound,
    ...defined({ weightColumn, featureColumns, earlyStoppingRounds, xgbModel, resumeFromCheckpoint }),
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined: the trainer tells an absent option from an empty one. */
function defined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<
    Defined<T>
  >;
}

function plainResult({ checkpoint, checkpoints, ...result }: Result) {
  return { ...result, checkpoint: checkpoint.path, checkpoints: checkpoints.map(({ path }) => path) };
}

function resultLines(result: Result, cwd: string): string[] {
  const { prepareMs, waitMs, trainMs, totalMs } = result.timings;
  const best = result.bestIteration === undefined ? '' : `, best round ${result.bestIteration + 1}`;
  return [
    `${result.status}: ${result.rounds} rounds in ${formatDuration(totalMs)} ` +
      `(prepare ${formatDuration(prepareMs)}, wait ${formatDuration(waitMs)}, train ${formatDuration(trainMs)})${best}`,
    ...(Object.keys(result.metrics).length === 0 ? [] : [`metrics  ${formatMetrics(result.metrics)}`]),
    `model    ${relative(cwd, result.checkpoint.modelPath)}`,
    `result   ${relative(cwd, `${result.path}/result.json`)}`,
  ];
}
