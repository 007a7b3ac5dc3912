// The work of `tabgrad train`: config to datasets, trainer and progress.

import { join, relative } from 'node:path';
import { ConfigInvalidError } from '../config/expression/configErrors.ts';
import { checkColumns, deriveColumns } from '../config/deriveColumns.ts';
import { loadAnyConfig, type LoadedConfig, type LoadedNeuralConfig } from '../config/loadConfig.ts';
import { openSource } from '../config/openSource.ts';
import type { Dataset } from '../data/dataset.ts';
import type { NeuralTrainerOptions } from '../train/neural/neuralOptions.ts';
import type { NeuralTrainer } from '../train/neural/neuralTrainer.ts';
import type { NeuralResult } from '../train/neural/netRecording.ts';
import { resnet18, type ResNet18Options } from '../../shared/neural/model/resnet18.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import { formatDuration, formatMetrics } from '../progress/formatNumbers.ts';
import { progressMode, terminalProgress } from '../progress/terminalProgress.ts';
import { MODEL_FILE } from '../checkpoint/checkpoint.ts';
import type { AttachOptions } from '../train/run/attachRun.ts';
import { GBDTTrainer } from '../train/gbdt/gbdtTrainer.ts';
import type { Result } from '../train/result.ts';
import { NoRowsError } from '../train/trainErrors.ts';
import type { CliContext, CommonValues } from './command.ts';
import { BadArgumentError } from './cliErrors.ts';
import { type EarlierRunFlags, overwrites, resumedConfig } from './earlierRun.ts';
import { MAX_LOCAL_WORKERS } from '../options/localWorker.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { tellProject } from './tellProject.ts';

type AnyConfig = LoadedConfig | LoadedNeuralConfig;

export interface TrainFlags extends Pick<CommonValues, 'json' | 'quiet' | 'verbose'>, EarlierRunFlags {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly attach?: boolean;
  readonly profile?: boolean;
}

/** @throws what reading the config, the data and training throw; everything that was started is ended then. */
export async function trainFromConfig(
  file: string,
  flags: TrainFlags,
  context: CliContext,
): Promise<ExitCode> {
  const { json, quiet, verbose } = flags;
  const { stdout, stderr, cwd, signal, now } = context;
  const written = await loadAnyConfig(file, cwd);
  const overwrite = overwrites(flags, written.runConfig);
  if (flags.attach === true) checkAttach(flags);
  const config = flags.resume ? await resumedConfig(written) : written;
  if (flags.profile === true && config.trainer !== 'neural')
    throw new BadArgumentError(`--profile is for trainer: neural; ${file} has ${config.trainer}.`);
  const mode = progressMode(stdout, { json, quiet, verbose });
  const roundsTotal = config.trainer === 'gbdt' ? config.numBoostRound : (config.maxSteps ?? 0);
  const progress = terminalProgress({ stream: stdout, mode, roundsTotal, now, signal });
  const warn = (message: string): void => {
    if (json) stdout.write(`${JSON.stringify({ type: 'warning', message })}\n`);
    else if (mode === 'live') progress.line(`warning: ${message}`);
    else if (!quiet) stderr.write(`warning: ${message}\n`);
  };
  const { numWorkers, runtime, device, ...connection } = config.scalingConfig;
  const address = flags.url ?? connection.url;
  const token = flags.token ?? connection.token;
  const callbacks = [{ onEvent: (event: ProgressEvent) => progress.event(event), onWarning: warn }];
  const level = verbose ? (2 as const) : (1 as const);
  const fit = async (): Promise<NeuralResult | Result> => {
    if (address === undefined) checkLocalWorkers(config);
    await tellProject(config, { url: address, token }, context);
    const shared = {
      datasets: await openDatasets(config, signal),
      scalingConfig: { numWorkers, device, ...defined({ runtime, url: address, token }) },
      runConfig: {
        ...config.runConfig,
        overwrite,
        checkpointConfig: defined(config.runConfig.checkpointConfig),
        callbacks,
        verbose: level,
      },
    };
    const trainer = await trainerOf(config, { ...shared, ...(flags.profile === true && { profile: true }) });
    return trainer.fit({ signal });
  };
  try {
    const attach = { signal, callbacks, verbose: level, ...defined({ url: flags.url, token }) };
    const result = await (flags.attach === true ? attachFromConfig(config, attach) : fit());
    progress.close();
    if (json) stdout.write(`${JSON.stringify({ type: 'result', ...plainResult(result) })}\n`);
    else {
      const word = config.trainer === 'gbdt' ? 'round' : 'step';
      for (const line of resultLines(result, word, cwd)) progress.line(line);
    }
    return exitCodes.ok;
  } finally {
    progress.close();
  }
}

/** @throws BadArgumentError for flags that say how a run begins. */
function checkAttach(flags: TrainFlags): void {
  const beginning = (['resume', 'overwrite', 'profile'] as const).find((name) => flags[name] === true);
  if (beginning === undefined) return;
  throw new BadArgumentError(
    `--attach follows a run that has begun, and --${beginning} is for one that begins; expected one of them.`,
  );
}

/** What fit returns, of a run that an earlier process asked for. */
async function attachFromConfig(
  { trainer, runConfig: { storagePath, name } }: AnyConfig,
  options: AttachOptions,
): Promise<NeuralResult | Result> {
  const folder = join(storagePath, name);
  if (trainer === 'gbdt') return GBDTTrainer.attach(folder, options);
  const { NeuralTrainer } = await import('../train/neural/neuralTrainer.ts');
  return NeuralTrainer.attach(folder, options);
}

/** What a config does not say, or says in another form. */
interface SharedOptions extends Pick<NeuralTrainerOptions, 'profile' | 'runConfig' | 'scalingConfig'> {
  readonly datasets: Record<string, Dataset>;
}

/** The trainer that a config describes. @throws TrainArgumentError and its like */
export async function trainerOf(
  config: AnyConfig,
  { profile, ...shared }: SharedOptions,
): Promise<GBDTTrainer | NeuralTrainer> {
  if (config.trainer === 'gbdt') return new GBDTTrainer({ ...trainerKeys(config), ...shared });
  return neuralTrainer(config, { ...shared, ...defined({ profile }) });
}

async function neuralTrainer(config: LoadedNeuralConfig, shared: SharedOptions): Promise<NeuralTrainer> {
  // Loaded here: trees need none of it.
  const { NeuralTrainer } = await import('../train/neural/neuralTrainer.ts');
  const {
    file: _file,
    trainer: _trainer,
    data: _data,
    derive: _derive,
    columns: _columns,
    tune: _tune,
    project: _project,
    ...keys
  } = config;
  const { model, ...options } = keys;
  const { train, valid } = shared.datasets;
  return new NeuralTrainer({
    ...(defined(options) as Omit<NeuralTrainerOptions, 'datasets' | 'model'>),
    ...shared,
    model:
      typeof model === 'object' && 'resnet18' in model
        ? resnet18(defined(model.resnet18 as ResNet18Options))
        : model,
    datasets: { train: train!, ...(valid && { valid }) },
  });
}

/** Without a coordinator that is up, all workers are processes of this machine. */
function checkLocalWorkers({ file, scalingConfig: { numWorkers } }: AnyConfig): void {
  const most = Array.isArray(numWorkers) ? numWorkers[1] : numWorkers;
  if (most <= MAX_LOCAL_WORKERS) return;
  const field = 'scalingConfig.numWorkers';
  throw new ConfigInvalidError(
    `${file}: ${field} asks for ${most} workers on this machine, expected at most ${MAX_LOCAL_WORKERS}; ` +
      'more can join a coordinator that is up (--url)',
    { file, field },
  );
}

/** Rows to train and to validate on. The split is made before anything is computed, where file footers tell the rows. */
export async function openDatasets(config: AnyConfig, signal: AbortSignal): Promise<Record<string, Dataset>> {
  const { train, valid, testSize, seed, ...written } = config.data;
  const source = openSource(train, written);
  checkColumns(config, await columnsOf(source, train, signal), config.file);
  if (testSize !== undefined) {
    const [rows, rest] = source.trainTestSplit(testSize, { shuffle: true, seed });
    return { train: deriveColumns(rows, config), valid: deriveColumns(rest, config) };
  }
  const datasets = { train: deriveColumns(source, config) };
  if (valid === null) return datasets;
  const validSource = openSource(valid, written);
  checkColumns(config, await columnsOf(validSource, valid, signal), config.file);
  return { ...datasets, valid: deriveColumns(validSource, config) };
}

/** @throws NoRowsError for files that are empty or have a header alone. */
async function columnsOf(source: Dataset, paths: readonly string[], signal: AbortSignal): Promise<string[]> {
  const columns = await source.columns({ signal });
  if (columns.length > 0 && (await source.take(1, { signal })).length > 0) return columns;
  throw new NoRowsError(`${paths.join(', ')} has no rows.`, { file: paths[0] ?? '' });
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
export function defined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<
    Defined<T>
  >;
}

function plainResult({ checkpoint, checkpoints, ...result }: NeuralResult | Result) {
  return { ...result, checkpoint: checkpoint.path, checkpoints: checkpoints.map(({ path }) => path) };
}

function resultLines(result: NeuralResult | Result, word: 'round' | 'step', cwd: string): string[] {
  const { prepareMs, waitMs, trainMs, totalMs } = result.timings;
  const best = result.bestIteration === undefined ? '' : `, best round ${result.bestIteration + 1}`;
  return [
    ...('profile' in result ? profileLines(result.profile) : []),
    `${result.status}: ${result.rounds} ${word}s in ${formatDuration(totalMs)} ` +
      `(prepare ${formatDuration(prepareMs)}, wait ${formatDuration(waitMs)}, train ${formatDuration(trainMs)})${best}`,
    ...(Object.keys(result.metrics).length === 0 ? [] : [`metrics  ${formatMetrics(result.metrics)}`]),
    `model    ${relative(cwd, join(result.checkpoint.path, MODEL_FILE))}`,
    `result   ${relative(cwd, `${result.path}/result.json`)}`,
  ];
}

function profileLines(table: string | undefined): string[] {
  if (table === undefined) return [];
  return table === '' ? ['The device has no timestamps: the profile is empty.'] : table.split('\n');
}
