// Trains neural nets: datasets and a tf.LayersModel in, a trained one and its record out.

import { randomUUID } from 'node:crypto';
import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { stepsPerEpoch } from '../../../shared/neural/run/stepPlan.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import type { NeuralSpec, TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { decodeState, encodeState, matchWeights } from '../../../shared/neural/state/namedState.ts';
import type { NamedState } from '../../../shared/neural/state/namedState.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import { withInterrupt } from '../../progress/withInterrupt.ts';
import type { RunRequest, Shard } from '../../core/run/runRequest.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { openCluster } from '../../cluster/openCluster.ts';
import type { FitOptions } from '../gbdt/gbdtTrainer.ts';
import { failedRecord, resultRecord, type RecordedRun, type RunClock } from '../gbdt/resultRecord.ts';
import { demandOf, followRun } from '../followRun.ts';
import { RunFolder } from '../record/runFolder.ts';
import type { Metrics, Result } from '../result.ts';
import { notifyOwner, warnOwner } from '../../options/tellOwner.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';
import { checkStateSize } from './checkStateSize.ts';
import { fallbackWarning } from './fallbackWarning.ts';
import { openModel, type OpenedModel } from '../../checkpoint/modelSource.ts';
import { checkpointFiles, NeuralCheckpoint, type LoadedNet } from '../../checkpoint/neuralCheckpoint.ts';
import { resolveNeural, type NeuralSettings, type NeuralTrainerOptions } from './neuralOptions.ts';
import { resolveLoss } from './resolveLoss.ts';
import { shardsOf } from './shardsOf.ts';
import { StateRecorder } from './stateRecorder.ts';
import { writeProfile } from './writeProfile.ts';
import { columnOf, isTensorSet, type NeuralData } from './tensorSet.ts';
import { prepareTensors, type PrepareTensors } from './prepareTensors.ts';

export interface NeuralResult extends Omit<Result, 'checkpoint' | 'checkpoints'> {
  readonly checkpoint: NeuralCheckpoint;
  readonly checkpoints: readonly NeuralCheckpoint[];
  /** With the option `profile`: the ops of the last step by the time they took; empty where the device has no timestamps. */
  readonly profile?: string;
}

/** Makes a dataset's tensors. */
export type PrepareNeural = (
  name: string,
  data: NeuralData,
  settings: PrepareTensors,
) => Promise<TensorDataset>;

/** What a trainer needs of the world; tests replace it. */
export interface NeuralWorld {
  openCluster(settings: NeuralSettings, signal: AbortSignal): Promise<Cluster>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** A tuning experiment shares what its trials have in common. */
  readonly prepare?: PrepareNeural;
  /** Reports and checkpoints are those of the ends of epochs, unless the owner asked for others. */
  readonly keepsEpochs?: boolean;
  /** Asked once for every report, in order: true ends the run after it. */
  isEnough?(step: number, metrics: Metrics): boolean;
}

const realWorld: NeuralWorld = { openCluster, now: () => performance.now() };

/** Filled in as the run goes on. */
interface Facts {
  readonly runId: string;
  readonly settings: NeuralSettings;
  steps: number;
  /** Of what is written to disk; 0: the last one alone. */
  checkpointFrequency: number;
  prepared?: NonNullable<RecordedRun['prepared']>;
  recorder?: StateRecorder;
  /** How columns became inputs. */
  inputs: readonly NetInput[];
  /** The table of a profile. */
  profile?: string;
}

export class NeuralTrainer {
  readonly #settings: NeuralSettings;
  readonly #world: NeuralWorld;

  /** @throws TrainArgumentError: all that needs neither model nor data is checked here. */
  constructor(options: NeuralTrainerOptions, world: NeuralWorld = realWorld) {
    this.#settings = resolveNeural(options);
    this.#world = world;
  }

  get options(): NeuralTrainerOptions {
    return this.#settings.options;
  }

  /**
   * Prepares the data, trains, and leaves the run's folder. Without a signal of the caller's, Ctrl-C calls the run off.
   * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
   * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
   * is to overwrite.
   */
  fit({ signal }: FitOptions = {}): Promise<NeuralResult> {
    return withInterrupt(signal, (interruptible) => this.#run(interruptible));
  }

  async #run(signal: AbortSignal): Promise<NeuralResult> {
    const settings = this.#settings;
    const { options } = settings;
    const facts: Facts = {
      runId: randomUUID(),
      settings,
      steps: options.maxSteps ?? 0,
      checkpointFrequency: 0,
      inputs: [],
    };
    const clock: RunClock = { now: () => this.#world.now(), startedAt: this.#world.now() };
    const start = { overwrite: settings.overwrite, resumedFrom: options.resumeFromCheckpoint };
    const folder = await RunFolder.open(settings.folder, settings.checkpoints, start);
    let cluster: Cluster | undefined;
    try {
      const resumed = loadResumed(options);
      const { train } = options.datasets;
      const model = await openModel(options.model, settings.seed, (name) =>
        isTensorSet(train) ? columnOf(train, name)?.shape : undefined,
      );
      resolveLoss(settings.loss, model);
      checkStateSize(model.weights, settings.optimizer, settings.localSteps !== undefined);
      if (model.unsupported) warnOwner(settings.options.runConfig, fallbackWarning(model.unsupported));
      cluster = await this.#world.openCluster(settings, signal);
      const { spec, shards } = await this.#prepare(cluster, model, resumed, facts, signal);
      clock.preparedAt = clock.now();
      return await this.#train({ cluster, spec, shards, model, folder, facts, clock, signal });
    } catch (error) {
      await folder.writeResult(failedRecord(error, folder, recorded(facts), clock)).catch(() => undefined);
      throw error;
    } finally {
      await cluster?.close();
    }
  }

  async #prepare(
    cluster: Cluster,
    model: OpenedModel,
    resumed: LoadedNet | undefined,
    facts: Facts,
    signal: AbortSignal,
  ): Promise<{ spec: NeuralSpec; shards: Shard[] }> {
    const settings = this.#settings;
    const { options, loss, optimizer } = settings;
    let rowsDone = 0;
    const tensors = (name: string, data: NeuralData): Promise<TensorDataset> =>
      (this.#world.prepare ?? prepareTensors)(name, data, {
        model,
        loss: loss.name,
        labelColumn: options.labelColumn,
        featureColumns: options.featureColumns,
        inputScale: options.inputScale,
        inputOffset: options.inputOffset,
        blobs: cluster.blobs,
        onInputs: (inputs) => (facts.inputs = inputs),
        onProgress: (rows) => this.#notify({ type: 'preparing', rows: (rowsDone += rows) }),
        signal,
      });
    const train = await tensors('train', options.datasets.train);
    const valid = options.datasets.valid && (await tensors('valid', options.datasets.valid));
    facts.prepared = { rows: { train: train.rows, ...(valid && { valid: valid.rows }) }, warnings: [] };
    const perEpoch = stepsPerEpoch({ ...settings, train });
    const steps = options.maxSteps ?? (options.numEpochs ?? 1) * perEpoch;
    facts.steps = steps;
    this.#notify({ type: 'planned', steps, stepsPerEpoch: perEpoch });
    const state = initialState(model, resumed, settings);
    if (state.step >= steps) {
      throw new TrainArgumentError(
        `The checkpoint has ${state.step} steps already and the run has ${steps}: nothing is left to train.`,
        { field: options.maxSteps === undefined ? 'numEpochs' : 'maxSteps' },
      );
    }
    const keepsEpochs = this.#world.keepsEpochs === true;
    const frequency = settings.checkpoints.checkpointFrequency ?? 0;
    const { clipNorm, clipValue, reportEverySteps = keepsEpochs ? steps : undefined } = options;
    facts.checkpointFrequency = keepsEpochs ? perEpoch : frequency;
    const spec: NeuralSpec = {
      trainer: 'neural',
      topology: model.boundTopology,
      engine: model.unsupported ? 'tfjs' : 'compiled',
      initialState: await cluster.blobs.putBytes(encodeState(state)),
      firstStep: state.step,
      steps,
      loss: resolveLoss(loss, model),
      metrics: settings.metrics,
      optimizer,
      learningRate: settings.schedule,
      globalBatchSize: settings.globalBatchSize,
      microbatchSize: settings.microbatchSize,
      seed: settings.seed,
      bucketBytes: settings.bucketBytes,
      gradientCodec: settings.gradientCodec,
      syncBatchNorm: options.syncBatchNorm ?? false,
      ...(settings.localSteps && { localSteps: settings.localSteps }),
      train,
      ...(valid && { valid }),
      ...(clipNorm !== undefined && { clipNorm }),
      ...(clipValue !== undefined && { clipValue }),
      ...(reportEverySteps !== undefined && { reportEverySteps }),
      checkpointEverySteps: frequency > 0 && !keepsEpochs ? frequency : perEpoch,
      verifyEveryStep: options.verifyEveryStep ?? false,
      ...(options.profile === true && { profile: true }),
      ...(options.tuneKernels === true && { tuneKernels: true }),
    };
    const shards = [...shardsOf('train', train), ...(valid ? shardsOf('valid', valid) : [])];
    return { spec, shards };
  }

  async #train({
    cluster,
    spec,
    shards,
    model,
    folder,
    facts,
    clock,
    signal,
  }: Training): Promise<NeuralResult> {
    const { settings } = facts;
    const broken = new AbortController();
    const recorder = new StateRecorder({
      folder,
      checkpointFrequency: facts.checkpointFrequency,
      ...(this.#world.keepsEpochs === true && { keepsLast: (rounds) => rounds === spec.steps }),
      readState: (saved) => cluster.readBlob(saved),
      filesOf: (state, steps) =>
        checkpointFiles(model.topology, decodeState(state, `the state of step ${steps}`), facts.inputs),
      onCheckpoint: (path, metrics) => {
        for (const callback of settings.options.runConfig?.callbacks ?? [])
          callback.onCheckpoint?.(new NeuralCheckpoint(path), metrics);
      },
      onProfile: async (bytes) => {
        const table = await writeProfile(bytes, folder, (message) =>
          warnOwner(settings.options.runConfig, message),
        );
        if (table !== undefined) facts.profile = table;
      },
      onFailure: (error) => broken.abort(error),
      now: clock.now,
    });
    facts.recorder = recorder;
    const request: RunRequest = {
      runId: facts.runId,
      name: settings.name,
      spec,
      shards,
      workers: demandOf(settings, settings.options.scalingConfig),
      maxFailures: settings.maxFailures,
    };
    let isEnough = false;
    const { status } = await followRun({
      cluster,
      request,
      recorder,
      broken,
      signal,
      notify: (event) => this.#notify(event),
      isEnough: (event) => {
        if (event.type !== 'round') return undefined;
        const { round, metrics } = event.committed;
        isEnough ||= this.#world.isEnough?.(round, metrics) === true;
        return isEnough ? 'its owner has enough' : undefined;
      },
    });
    const isWhole = status === 'finished' || isEnough;
    const record = resultRecord(isWhole ? 'finished' : 'stopped', folder, recorded(facts), clock);
    const checkpoints = folder.savedPaths().map((path) => new NeuralCheckpoint(path));
    const checkpoint = checkpoints.at(-1);
    if (!checkpoint)
      throw new AbortedError(`Run "${settings.name}" was stopped before its state was stored.`);
    await folder.writeResult(record);
    return {
      ...record,
      path: folder.path,
      checkpoint,
      checkpoints,
      metricsTable: recorder.metricsTable,
      ...(facts.profile !== undefined && { profile: facts.profile }),
    };
  }

  #notify(event: ProgressEvent): void {
    notifyOwner(this.#settings.options.runConfig, event);
  }
}

interface Training {
  readonly cluster: Cluster;
  readonly spec: NeuralSpec;
  readonly shards: Shard[];
  readonly model: OpenedModel;
  readonly folder: RunFolder;
  readonly facts: Facts;
  readonly clock: RunClock;
  readonly signal: AbortSignal;
}

function loadResumed({ resumeFromCheckpoint: from }: NeuralTrainerOptions): LoadedNet | undefined {
  if (from === undefined) return undefined;
  return (typeof from === 'string' ? new NeuralCheckpoint(from) : from).loadNet();
}

/** @throws WeightsMismatchError when the checkpoint is of another model or another kind of optimizer. */
function initialState(
  model: OpenedModel,
  resumed: LoadedNet | undefined,
  { optimizer, localSteps }: NeuralSettings,
): NamedState {
  if (!resumed) return { step: 0, weights: model.weights, optimizer: [] };
  const wanted = [...model.weights].map(([name, { shape }]) => ({ name, shape }));
  const weights = matchWeights(wanted, resumed.state.weights, 'the checkpoint');
  const arrays = resumed.state.optimizer;
  const expected = optimizerSlots(optimizer);
  if (arrays.length > 0 && arrays.length !== expected) {
    throw new TrainArgumentError(
      `The checkpoint's optimizer keeps ${arrays.length} arrays, ${optimizer.name} here ${expected}; resume with the optimizer that it was trained with.`,
      { field: 'optimizer' },
    );
  }
  const { step, velocity } = resumed.state;
  return { step, weights, optimizer: arrays, ...(localSteps && velocity && { velocity }) };
}

function recorded({ runId, settings, prepared, recorder, steps }: Facts): RecordedRun {
  const { name, optimizer, schedule, loss, globalBatchSize, microbatchSize, seed } = settings;
  return {
    runId,
    settings: {
      name,
      numBoostRound: steps,
      params: { loss: loss.name, optimizer, schedule, globalBatchSize, microbatchSize, seed },
    },
    ...(prepared && { prepared }),
    ...(recorder && { recorder }),
  };
}
