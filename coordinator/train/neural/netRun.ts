// What neural nets do of a run: a model and a state to begin with, tensors, and checkpoints of the members' state.

import { AbortedError } from '../../../kernels/errors.ts';
import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import type { NeuralSpec, TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { stepsPerEpoch } from '../../../shared/neural/run/stepPlan.ts';
import { decodeState, encodeState, matchWeights } from '../../../shared/neural/state/namedState.ts';
import type { NamedState } from '../../../shared/neural/state/namedState.ts';
import { openModel, type OpenedModel } from '../../checkpoint/modelSource.ts';
import { checkpointFiles, NeuralCheckpoint, type LoadedNet } from '../../checkpoint/neuralCheckpoint.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';
import { RunProgress } from '../record/runProgress.ts';
import type { Metrics, Result, ResultRecord } from '../result.ts';
import type { PreparedRun, RunPlace, TrainerKind, TrainerWorld } from '../trainerRun.ts';
import { checkStateSize } from './checkStateSize.ts';
import { fallbackWarning } from './fallbackWarning.ts';
import type { NeuralSettings, NeuralTrainerOptions } from './neuralOptions.ts';
import { prepareTensors, type PrepareTensors } from './prepareTensors.ts';
import { resolveLoss } from './resolveLoss.ts';
import { shardsOf } from './shardsOf.ts';
import { StateRecorder } from './stateRecorder.ts';
import { columnOf, isTensorSet, type NeuralData } from './tensorSet.ts';
import { writeProfile } from './writeProfile.ts';

/** What NeuralTrainer.fit returns. */
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

/** What a trainer of nets needs of the world; tests replace it. */
export interface NeuralWorld extends TrainerWorld {
  /** A tuning experiment shares what its trials have in common. */
  readonly prepare?: PrepareNeural;
  /** Reports and checkpoints are those of the ends of epochs, unless the owner asked for others. */
  readonly keepsEpochs?: boolean;
  /** Asked once for every report, in order: true ends the run after it. */
  isEnough?(step: number, metrics: Metrics): boolean;
}

interface Start {
  readonly model: OpenedModel;
  /** The checkpoint that the run goes on from. */
  readonly resumed: LoadedNet | undefined;
}

interface Tensors {
  readonly train: TensorDataset;
  readonly valid: TensorDataset | undefined;
  /** How columns became inputs. */
  readonly inputs: readonly NetInput[];
}

export function netRun(settings: NeuralSettings, world: NeuralWorld): TrainerKind<Start, NeuralResult> {
  const { options, optimizer, schedule, loss, globalBatchSize, microbatchSize, seed } = settings;
  return {
    facts: {
      params: { loss: loss.name, optimizer, schedule, globalBatchSize, microbatchSize, seed },
      totalRounds: options.maxSteps ?? 0,
    },
    async open(warn) {
      const resumed = loadResumed(options);
      const { train } = options.datasets;
      const model = await openModel(options.model, seed, (name) =>
        isTensorSet(train) ? columnOf(train, name)?.shape : undefined,
      );
      resolveLoss(loss, model);
      checkStateSize(model.weights, optimizer, settings.localSteps !== undefined);
      if (model.unsupported) warn(fallbackWarning(model.unsupported));
      return { model, resumed };
    },
    async prepare(start, place) {
      const tensors = await prepare(settings, world, start.model, place);
      const perEpoch = stepsPerEpoch({ ...settings, train: tensors.train });
      const steps = options.maxSteps ?? (options.numEpochs ?? 1) * perEpoch;
      place.notify({ type: 'planned', steps, stepsPerEpoch: perEpoch });
      const spec = await specOf(settings, world, start, tensors, { steps, perEpoch }, place);
      return training(settings, world, start.model, tensors, spec, perEpoch, place);
    },
  };
}

async function prepare(
  { options, loss }: NeuralSettings,
  world: NeuralWorld,
  model: OpenedModel,
  { cluster, notify, signal }: RunPlace,
): Promise<Tensors> {
  let rowsDone = 0;
  let inputs: readonly NetInput[] = [];
  const tensors = (name: string, data: NeuralData): Promise<TensorDataset> =>
    (world.prepare ?? prepareTensors)(name, data, {
      model,
      loss: loss.name,
      labelColumn: options.labelColumn,
      featureColumns: options.featureColumns,
      inputScale: options.inputScale,
      inputOffset: options.inputOffset,
      blobs: cluster.blobs,
      onInputs: (found) => (inputs = found),
      onProgress: (rows) => notify({ type: 'preparing', rows: (rowsDone += rows) }),
      signal,
    });
  const train = await tensors('train', options.datasets.train);
  const valid = options.datasets.valid && (await tensors('valid', options.datasets.valid));
  return { train, valid, inputs };
}

/** @throws TrainArgumentError when the checkpoint has all steps. */
async function specOf(
  settings: NeuralSettings,
  world: NeuralWorld,
  { model, resumed }: Start,
  { train, valid }: Tensors,
  { steps, perEpoch }: { readonly steps: number; readonly perEpoch: number },
  { cluster }: RunPlace,
): Promise<NeuralSpec> {
  const { options, loss } = settings;
  const state = initialState(model, resumed, settings);
  if (state.step >= steps) {
    throw new TrainArgumentError(
      `The checkpoint has ${state.step} steps already and the run has ${steps}: nothing is left to train.`,
      { field: options.maxSteps === undefined ? 'numEpochs' : 'maxSteps' },
    );
  }
  const keepsEpochs = world.keepsEpochs === true;
  const frequency = settings.checkpoints.checkpointFrequency;
  const { clipNorm, clipValue, reportEverySteps = keepsEpochs ? steps : undefined } = options;
  return {
    trainer: 'neural',
    topology: model.boundTopology,
    engine: model.unsupported ? 'tfjs' : 'compiled',
    initialState: await cluster.blobs.putBytes(encodeState(state)),
    firstStep: state.step,
    steps,
    loss: resolveLoss(loss, model),
    metrics: settings.metrics,
    optimizer: settings.optimizer,
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
}

function training(
  { options, name, checkpoints }: NeuralSettings,
  world: NeuralWorld,
  model: OpenedModel,
  { train, valid, inputs }: Tensors,
  spec: NeuralSpec,
  perEpoch: number,
  { cluster, folder, now, fail, warn }: RunPlace,
): PreparedRun<NeuralResult> {
  const keepsEpochs = world.keepsEpochs === true;
  let profile: string | undefined;
  let isEnough = false;
  const recorder = new StateRecorder({
    progress: new RunProgress(folder, now, fail),
    checkpointFrequency: keepsEpochs ? perEpoch : checkpoints.checkpointFrequency,
    ...(keepsEpochs && { keepsLast: (rounds) => rounds === spec.steps }),
    readState: (saved) => cluster.readBlob(saved),
    filesOf: (state, steps) =>
      checkpointFiles(model.topology, decodeState(state, `the state of step ${steps}`), inputs),
    onCheckpoint: (path, metrics) => {
      for (const callback of options.runConfig?.callbacks ?? [])
        callback.onCheckpoint?.(new NeuralCheckpoint(path), metrics);
    },
    onProfile: async (bytes) => {
      profile = (await writeProfile(bytes, folder, warn)) ?? profile;
    },
  });
  return {
    spec,
    shards: [...shardsOf('train', train), ...(valid ? shardsOf('valid', valid) : [])],
    recorder,
    facts: {
      totalRounds: spec.steps,
      rows: { train: train.rows, ...(valid && { valid: valid.rows }) },
    },
    isEnough(event) {
      if (event.type !== 'round') return undefined;
      const { round, metrics } = event.committed;
      isEnough ||= world.isEnough?.(round, metrics) === true;
      return isEnough ? 'its owner has enough' : undefined;
    },
    isWhole: () => isEnough,
    result(record: ResultRecord): NeuralResult {
      const saved = folder.savedPaths().map((path) => new NeuralCheckpoint(path));
      const checkpoint = saved.at(-1);
      if (!checkpoint) throw new AbortedError(`Run "${name}" was stopped before its state was stored.`);
      return {
        ...record,
        path: folder.path,
        checkpoint,
        checkpoints: saved,
        metricsTable: recorder.progress.metricsTable,
        ...(profile !== undefined && { profile }),
      };
    },
  };
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
