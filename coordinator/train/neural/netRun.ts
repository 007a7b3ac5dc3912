// What neural nets do of a run: a model and a state to begin with, tensors, and checkpoints of the members' state.

import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { NetInput } from '../../../shared/neural/model/netInputs.ts';
import type { NeuralSpec, TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { stepsPerEpoch } from '../../../shared/neural/run/stepPlan.ts';
import { encodeState, matchWeights } from '../../../shared/neural/state/namedState.ts';
import type { NamedState } from '../../../shared/neural/state/namedState.ts';
import { openModel, type OpenedModel } from '../../checkpoint/modelSource.ts';
import { NeuralCheckpoint, type LoadedNet } from '../../checkpoint/neuralCheckpoint.ts';
import type { RunPlace, TrainerKind } from '../run/trainerKind.ts';
import { checkStateSize } from './checkStateSize.ts';
import { netRecording, type EpochsWorld, type NetPlan, type NeuralResult } from './netRecording.ts';
import type { NeuralSettings, NeuralTrainerOptions } from './neuralOptions.ts';
import { prepareTensors, type PrepareTensors } from './prepareTensors.ts';
import { shardsOf } from './tensorShards.ts';
import { inputColumn, isTensorSet, type NeuralData } from './tensorSet.ts';
import type { UnsupportedPart } from '../../../shared/neural/model/readModel.ts';
import type { LossSpec } from '../../../shared/neural/trainingEngine.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** Makes a dataset's tensors. */
export type PrepareNeural = (
  name: string,
  data: NeuralData,
  settings: PrepareTensors,
) => Promise<TensorDataset>;

/** What a trainer of nets needs of the world; tests replace it. */
export interface NeuralWorld extends EpochsWorld {
  /** A tuning experiment shares what its trials have in common. */
  readonly prepare?: PrepareNeural;
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
  readonly summaries: readonly DatasetSummary[];
}

export function netRun(
  settings: NeuralSettings,
  world: NeuralWorld,
): TrainerKind<Start, NetPlan, NeuralResult> {
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
        isTensorSet(train) ? inputColumn(train, name)?.shape : undefined,
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
      const spec = await specOf(settings, world, start, tensors, { steps, perEpoch }, place);
      const { train, valid, inputs, summaries } = tensors;
      return {
        spec,
        shards: [...shardsOf('train', train), ...(valid ? shardsOf('valid', valid) : [])],
        summaries,
        plan: { topology: start.model.topology, inputs, steps, stepsPerEpoch: perEpoch },
        modelParts: { topology: start.model.topology, inputs },
        facts: { totalRounds: steps, rows: { train: train.rows, ...(valid && { valid: valid.rows }) } },
      };
    },
    recording: netRecording(world),
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
  const summaries: DatasetSummary[] = [];
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
      onSummary: (summary) => summaries.push(summary),
      onProgress: (rows) => notify({ type: 'preparing', rows: (rowsDone += rows) }),
      signal,
    });
  const train = await tensors('train', options.datasets.train);
  const valid = options.datasets.valid && (await tensors('valid', options.datasets.valid));
  return { train, valid, inputs, summaries };
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
  const { checkEverySteps } = options;
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
    ...(settings.centeredClip && { centeredClip: settings.centeredClip }),
    ...(checkEverySteps !== undefined && { checkEverySteps }),
    ...(options.profile === true && { profile: true }),
    ...(options.tuneKernels === true && { tuneKernels: true }),
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

function fallbackWarning({ layer, className, reason }: UnsupportedPart): string {
  return (
    `The compiled engine does not know layer "${layer}" (${className}: ${reason}), so tfjs's autodiff trains the model: ` +
    'steps take 6 to 200 times as long, and there is neither syncBatchNorm nor a profile (docs/neural.md).'
  );
}

/** @throws TrainArgumentError where a cross-entropy can not know what it is taken of. */
function resolveLoss({ name, fromLogits }: NeuralSettings['loss'], { outputKind }: OpenedModel): LossSpec {
  if (fromLogits !== undefined) return { name, fromLogits };
  if (outputKind.kind !== 'unknown') return { name, fromLogits: outputKind.kind === 'numbers' };
  if (name === 'meanSquaredError') return { name, fromLogits: false };
  throw new TrainArgumentError(
    `loss is "${name}", and layer "${outputKind.layer}" (${outputKind.className}) leaves open whether the model gives probabilities or logits; ` +
      `say it with loss: { name: "${name}", fromLogits: false } for probabilities, true for logits.`,
    { field: 'loss' },
  );
}
