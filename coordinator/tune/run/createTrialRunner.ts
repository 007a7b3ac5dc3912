// From what the owner calls trainable to what runs its trials. The cluster is opened by the first trial that needs one.

import { availableParallelism } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { mkdir, readFile } from 'node:fs/promises';
import { AbortedError, TabgradError } from '../../../kernels/errors.ts';
import { writeFileAtomically } from '../../train/record/atomicWrite.ts';
import type { Metrics } from '../../train/result.ts';
import type { ExperimentRecord } from '../../core/store/experimentRecord.ts';
import { TrialFailedError } from '../space/tuneErrors.ts';
import type { TrialConfig, Trainable, TrialContext } from './tuneOptions.ts';
import { ownersLog } from '../../options/tellOwner.ts';
import { leastWorkers } from './trialFit.ts';
import { SharedPreparation } from './sharedPreparation.ts';
import { sharedTensors } from './sharedTensors.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { isElsewhere, openCluster } from '../../cluster/openCluster.ts';
import { MAX_LOCAL_WORKERS } from '../../options/localWorker.ts';
import type { ScalingConfig } from '../../options/runOptions.ts';
import type { TrialCallbacks, TrialPiece, TrialRunner } from '../trial/trialRunner.ts';
import { isTunableTrainer, trialTrainerOf, type TunableTrainer, type TunedOptions } from './trialTrainers.ts';

export interface TrialRunnerOptions {
  readonly trainable: Trainable;
  /** Most trials at once; undefined for the default. */
  readonly concurrency: number | undefined;
  /** Trials that will be, as far as is known. */
  readonly trials: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
  readonly onLine?: ((line: string) => void) | undefined;
  /** Told of the record of the coordinator that trains the trials, where one does. */
  readonly onRecord: (record: ExperimentRecord) => void;
}

/** How long a trial that was told to stop may go on before the experiment goes on without it. */
const STOP_GRACE_MS = 30_000;
/** An experiment takes long: a coordinator that is just being restarted is waited for. */
const FIRST_CONTACT_MS = 30_000;

export function createTrialRunner(options: TrialRunnerOptions): TrialRunner {
  const { trainable, signal } = options;
  const preparation = new SharedPreparation(signal);
  const tensors = sharedTensors(signal);
  let opening: Promise<Cluster> | undefined;
  const defaultConcurrency = isTunableTrainer(trainable)
    ? sideBySide(trainable.options)
    : availableParallelism();
  const train = async (
    trainer: TunableTrainer,
    made: TunedOptions,
    piece: TrialPiece,
    callbacks: TrialCallbacks,
  ): Promise<void> => {
    opening ??= openFor(made, options);
    const cluster = await opening;
    const trials = Math.min(options.concurrency ?? sideBySide(made), options.trials);
    cluster.ensureWorkers(workersFor(trials, made.scalingConfig), leastWorkers(made.scalingConfig));
    await trialTrainerOf(trainer)!.run(made, piece, callbacks, { cluster, preparation, tensors });
  };
  return {
    defaultConcurrency,
    async run(piece, callbacks) {
      if (isTunableTrainer(trainable)) {
        const made = mergeConfig(trainable.options, piece.config) as TunedOptions;
        return endedInTime(train(trainable, made, piece, callbacks), piece.signal, piece);
      }
      const made = await runFunction(trainable as OwnFunction, piece, callbacks);
      if (isTunableTrainer(made)) {
        await endedInTime(train(made, made.options, piece, callbacks), piece.signal, piece);
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}

async function openFor(
  { scalingConfig, runConfig }: TunedOptions,
  { signal, onLine, onRecord }: TrialRunnerOptions,
): Promise<Cluster> {
  const cluster = await openCluster({
    scalingConfig,
    signal,
    log: ownersLog(runConfig),
    onLine,
    firstContactMs: FIRST_CONTACT_MS,
  });
  onRecord(cluster.experiments);
  return cluster;
}

/** For trials side by side, as many of them as one machine has room for. */
function workersFor(trials: number, { numWorkers = 1 }: ScalingConfig = {}): number {
  const each = typeof numWorkers === 'number' ? numWorkers : numWorkers[1];
  return each * Math.max(1, Math.min(trials, Math.floor(MAX_LOCAL_WORKERS / each)));
}

/** As many as processor cores allow; on a coordinator that is up, as many as its workers allow. */
function sideBySide({ scalingConfig = {} }: TunedOptions): number {
  if (isElsewhere(scalingConfig)) return Infinity;
  return Math.max(1, Math.floor(availableParallelism() / leastWorkers(scalingConfig)));
}

type OwnFunction = (config: TrialConfig, context: TrialContext) => unknown;

/** Calls the owner's function; what it returns is a trainer to run, or its last metrics, or nothing. */
async function runFunction(own: OwnFunction, piece: TrialPiece, callbacks: TrialCallbacks): Promise<unknown> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([piece.signal, stopped.signal]);
  let iteration = piece.checkpoint?.iteration ?? 0;
  const tell = (metrics: unknown): 'continue' | 'stop' => {
    const decision = callbacks.report(iteration, checkMetrics(metrics, piece));
    if (decision === 'stop') stopped.abort();
    return decision;
  };
  const context: TrialContext = {
    trialId: piece.id,
    index: piece.index,
    signal,
    iteration,
    checkpoint: await loadState(piece),
    async report(metrics, checkpoint) {
      if (signal.aborted) return 'stop';
      iteration++;
      checkMetrics(metrics, piece);
      const saved = checkpoint === undefined ? undefined : await saveState(piece, iteration, checkpoint);
      const decision = tell(metrics);
      // After the report: a checkpoint on record is never without what was reported with it.
      if (saved !== undefined) callbacks.checkpoint({ path: saved, iteration });
      // It is also how trials, which share one thread, let one another have their turn.
      await callbacks.recorded();
      return decision;
    },
  };
  const working = (async (): Promise<unknown> => {
    const made = own(piece.config, context);
    // A trainer has to wait for its workers yet.
    if (!isTunableTrainer(made)) callbacks.working();
    return made;
  })();
  const returned = await endedInTime(working, signal, piece).catch((error: unknown) => {
    // A stopped function may end by whatever it likes.
    if (stopped.signal.aborted) return undefined;
    if (piece.signal.aborted)
      throw new AbortedError(`Trial ${piece.index} was called off.`, {}, { cause: error });
    if (error instanceof TabgradError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TrialFailedError(`Trial ${piece.index} threw: ${message}`, {}, { cause: error });
  });
  if (piece.signal.aborted) throw new AbortedError(`Trial ${piece.index} was called off.`);
  if (returned === undefined || returned === null || isTunableTrainer(returned)) return returned;
  if (!stopped.signal.aborted) {
    iteration++;
    tell(returned);
  }
  return undefined;
}

/** The work's own end, or an end for it when it does not heed its signal. */
async function endedInTime<T>(working: Promise<T>, signal: AbortSignal, { index }: TrialPiece): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const overdue = new Promise<never>((_, reject) => {
    onAbort = () => {
      const error = new AbortedError(
        `Trial ${index} did not end within ${STOP_GRACE_MS} ms after it was told to.`,
      );
      timer = setTimeout(() => reject(error), STOP_GRACE_MS);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([working, overdue]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function checkMetrics(metrics: unknown, { index }: TrialPiece): Metrics {
  const entries = typeof metrics === 'object' && metrics !== null ? Object.entries(metrics) : [];
  if (entries.length > 0 && entries.every(([, value]) => typeof value === 'number'))
    return metrics as Metrics;
  const wrong = entries.find(([, value]) => typeof value !== 'number');
  const what = wrong ? `${wrong[0]} as ${typeof wrong[1]}` : 'no metric';
  throw new TrialFailedError(
    `Trial ${index} reported ${what}; expected an object of numbers, like { loss: 0.5 }.`,
  );
}

async function saveState(
  { experimentFolder, id }: TrialPiece,
  iteration: number,
  state: unknown,
): Promise<string> {
  const path = `${id}/checkpoints/${iteration}.json`;
  await mkdir(join(experimentFolder, id, 'checkpoints'), { recursive: true });
  await writeFileAtomically(join(experimentFolder, path), JSON.stringify({ state }));
  return path;
}

async function loadState({ checkpoint, experimentFolder, index }: TrialPiece): Promise<unknown> {
  if (!checkpoint?.path.endsWith('.json')) return undefined;
  const path = isAbsolute(checkpoint.path) ? checkpoint.path : join(experimentFolder, checkpoint.path);
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { state: unknown }).state;
  } catch (error) {
    const message = (error as Error).message;
    throw new TrialFailedError(
      `The checkpoint of trial ${index} can not be read: ${message}`,
      { file: path },
      { cause: error },
    );
  }
}

/** Plain objects are merged key by key; anything else in `over` replaces what was there. */
export function mergeConfig(base: unknown, over: unknown): unknown {
  if (!isPlain(base) || !isPlain(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = key in merged ? mergeConfig(merged[key], value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
