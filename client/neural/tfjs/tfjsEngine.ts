// The training engine for whatever tfjs can build: forward and backward by tfjs's autodiff, on its WebGPU backend or its
// plain one. Slower than the compiled engine, and never an error where that one does not know a layer.

import type * as tfjs from '@tensorflow/tfjs';
import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import { checkTopology } from '../../../shared/neural/model/checkConnected.ts';
import { MOST_FIRST_WEIGHTS, withWeightLimit } from '../../../shared/neural/model/weightLimit.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type {
  EngineLayout,
  EngineSpec,
  MemoryReport,
  Microbatch,
  ParameterSlot,
  StateSection,
  TargetValues,
  Totals,
  TrainingEngine,
  UpdateOptions,
} from '../../../shared/neural/trainingEngine.ts';
import { hashDropout, type DropoutPlace } from './hashDropout.ts';
import type { Tf, TfjsRuntime } from './loadTfjs.ts';
import { layOutModel, type ModelLayout } from './modelLayout.ts';
import { ModelState } from './modelState.ts';
import { EngineFailedError, EngineLostError, EngineUnsuitableError } from './tfjsErrors.ts';
import { lossSum, metricSum, targetTensor } from './tfjsLoss.ts';

const F32_BYTES = 4;

export interface TfjsEngineSpec extends Omit<EngineSpec, 'graph'> {
  /** `modelTopology` of a model.json, of layers that are known to tfjs. */
  readonly topology: object;
}

/** @throws EngineUnsuitableError when tfjs can't build the model, or the engine interface can't hold it. */
export async function openTfjsEngine(spec: TfjsEngineSpec, runtime: TfjsRuntime): Promise<TrainingEngine> {
  if (spec.syncBatchNorm) {
    throw new EngineUnsuitableError(
      "syncBatchNorm needs the compiled engine: tfjs can't wait for other workers in the middle of a layer",
      { field: 'syncBatchNorm' },
    );
  }
  const model = await buildModel(runtime.tf, spec.topology);
  try {
    checkModel(model);
    const places = layOutModel(model, spec.topology, optimizerSlots(spec.optimizer), spec.bucketBytes);
    const state = new ModelState(spec, runtime, places);
    await state.adopt();
    return new TfjsEngine(spec, runtime, model, places, state);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function buildModel(tf: Tf, topology: object): Promise<tfjs.LayersModel> {
  try {
    const json = { modelTopology: topology } as Parameters<typeof tf.models.modelFromJSON>[0];
    checkTopology(topology);
    const limit = { most: MOST_FIRST_WEIGHTS, whose: 'tfjs trains' };
    return await withWeightLimit(tf, limit, () => tf.models.modelFromJSON(json));
  } catch (cause) {
    throw new EngineUnsuitableError(`tfjs can't build the model: ${messageOf(cause)}`, {}, { cause });
  }
}

function checkModel({ inputs, outputs }: tfjs.LayersModel): void {
  if (outputs.length !== 1) {
    throw new EngineUnsuitableError(`the model has ${outputs.length} outputs; expected one`);
  }
  for (const { name, shape } of inputs) {
    if (!shape.slice(1).includes(null)) continue;
    throw new EngineUnsuitableError(
      `input ${name} has the shape [${shape.join(', ')}]; every dimension but the first must be given`,
      { field: name },
    );
  }
}

/** What one microbatch gave, as sums over its examples. */
interface Gradients {
  readonly byWeight: readonly { readonly slot: ParameterSlot; readonly values: Float32Array }[];
  /** Loss, then the metrics. */
  readonly sums: readonly number[];
}

type Examples = Omit<Microbatch, 'exampleIds' | 'step'>;

class TfjsEngine implements TrainingEngine {
  readonly kind = 'tfjs';
  readonly layout: EngineLayout;
  readonly lost: Promise<string>;
  readonly #spec: TfjsEngineSpec;
  readonly #tf: Tf;
  readonly #model: tfjs.LayersModel;
  readonly #places: ModelLayout;
  readonly #state: ModelState;
  readonly #dropout: DropoutPlace = { step: 0, exampleIds: new Uint32Array() };
  #totals: Totals;
  #lostReason: string | undefined;
  /** Most that a forward pass has held. */
  #activationBytes = 0;

  constructor(
    spec: TfjsEngineSpec,
    { tf, lost }: TfjsRuntime,
    model: tfjs.LayersModel,
    places: ModelLayout,
    state: ModelState,
  ) {
    this.#spec = spec;
    this.#tf = tf;
    this.#model = model;
    this.#places = places;
    this.#state = state;
    this.layout = places.layout;
    this.#totals = this.#sumsAsTotals(0, []);
    hashDropout(tf, places.layers, spec.seed, this.#dropout);
    this.lost = lost;
    void lost.then((reason) => (this.#lostReason = reason));
  }

  /** The optimizer's state and the sums are not on the device. Activations: the most a forward pass has held so far. */
  get memory(): MemoryReport {
    const { parameters, statistics } = this.layout.lengths;
    const weightBytes = (parameters + statistics) * F32_BYTES;
    const gradients = parameters * F32_BYTES;
    const activations = this.#activationBytes;
    const total = weightBytes + gradients + activations;
    return { parameters: weightBytes, gradients, optimizer: 0, activations, workspace: 0, staging: 0, total };
  }

  write(section: StateSection, values: Float32Array): void {
    this.#state.write(section, values);
  }

  read(section: StateSection): Promise<Float32Array<ArrayBuffer>> {
    return this.#carryOut(async () => this.#state.read(section));
  }

  clear(): void {
    this.#state.reduction.fill(0);
    this.#totals = this.#sumsAsTotals(0, []);
  }

  accumulate(batch: Microbatch): Promise<void> {
    return this.#carryOut(async () => {
      const { byWeight, sums } = await this.#gradients(batch);
      const into = this.#state.reduction;
      for (const { slot, values } of byWeight) addTo(into, slot.offset, values, 1);
      await this.#addStatistics();
      this.#totals = addTotals(this.#totals, this.#sumsAsTotals(batch.examples, sums));
    });
  }

  readBucket(index: number): Promise<Float32Array<ArrayBuffer>> {
    return this.#carryOut(async () => {
      const { offset, length } = this.#bucket(index);
      return this.#state.reduction.slice(offset, offset + length);
    });
  }

  writeBucket(index: number, values: Float32Array): void {
    const { offset, length } = this.#bucket(index);
    if (values.length !== length) {
      throw new RangeError(`bucket ${index} has ${length} elements, not ${values.length}`);
    }
    this.#state.reduction.set(values, offset);
  }

  update(options: UpdateOptions): void {
    this.#state.update(options);
  }

  takeTotals(): Promise<Totals> {
    return this.#carryOut(async () => {
      const totals = { ...this.#totals, penalty: this.#state.penalty() };
      this.#totals = this.#sumsAsTotals(0, []);
      return totals;
    });
  }

  evaluate(batch: Examples): Promise<Totals> {
    return this.#carryOut(async () => {
      this.#state.loadStatistics();
      const sums = this.#tf.tidy(() => this.#forward(batch, false));
      const totals = this.#sumsAsTotals(batch.examples, await takeScalars(sums));
      return { ...totals, penalty: this.#state.penalty() };
    });
  }

  predict(inputs: readonly TargetValues[], examples: number): Promise<Float32Array<ArrayBuffer>> {
    return this.#carryOut(async () => {
      this.#state.loadStatistics();
      return takeValues(this.#tf.tidy(() => this.#output(inputs, examples, false)));
    });
  }

  findNonFinite(batch: Microbatch) {
    return this.#carryOut(async () => {
      const layer = await this.#firstNonFiniteOutput(batch);
      if (layer !== undefined) return { layer, phase: 'forward' as const };
      const { byWeight } = await this.#gradients(batch);
      // The backward pass goes from the last layer to the first.
      const bad = byWeight.findLast(({ values }) => !values.every(Number.isFinite));
      return bad && { layer: bad.slot.name.split('/')[0]!, phase: 'backward' as const };
    });
  }

  async profile(): Promise<readonly []> {
    return [];
  }

  async close(): Promise<void> {
    if (this.#lostReason === undefined) this.#model.dispose();
  }

  /** tfjs's own words, under the codes that engines have. */
  async #carryOut<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lostReason !== undefined) throw new EngineLostError(this.#lostReason);
    try {
      return await work();
    } catch (cause) {
      if (this.#lostReason !== undefined) throw new EngineLostError(this.#lostReason, {}, { cause });
      throw new EngineFailedError(`tfjs failed: ${messageOf(cause)}`, {}, { cause });
    }
  }

  #bucket(index: number): EngineLayout['buckets'][number] {
    const bucket = this.layout.buckets[index];
    if (!bucket) throw new RangeError(`there is no bucket ${index}`);
    return bucket;
  }

  async #gradients(batch: Microbatch): Promise<Gradients> {
    const tf = this.#tf;
    this.#state.clearStatistics();
    Object.assign(this.#dropout, { step: batch.step, exampleIds: batch.exampleIds });
    const trained = this.#places.parameters.filter((place) => place.trained);
    const bytesBefore = tf.memory().numBytes;
    let metrics: tfjs.Scalar[] = [];
    const { value, grads } = tf.variableGrads(
      () => {
        const [loss, ...others] = this.#forward(batch, true);
        metrics = others.map((metric) => tf.keep(metric));
        this.#activationBytes = Math.max(this.#activationBytes, tf.memory().numBytes - bytesBefore);
        return loss;
      },
      trained.map(({ variable }) => variable),
    );
    const byWeight = trained.map(async ({ variable, slot }) => {
      // The output may depend on some weights only.
      const gradient = grads[variable.name];
      return { slot, values: gradient ? await takeValues(gradient) : new Float32Array(slot.length) };
    });
    return { sums: await takeScalars([value, ...metrics]), byWeight: await Promise.all(byWeight) };
  }

  /** Batch normalization has moved its statistics, which were zero, towards those of the batch, once a use. */
  async #addStatistics(): Promise<void> {
    for (const { variable, slot, momentum, uses } of this.#places.statistics) {
      const way = 1 - momentum ** uses;
      if (way === 0) continue;
      const values = await variable.data<'float32'>();
      addTo(this.#state.reduction, this.layout.lengths.parameters + slot.offset, values, 1 / way);
    }
  }

  /** Sums over the examples: of the loss, then of each metric. */
  #forward(batch: Examples, training: boolean): [tfjs.Scalar, ...tfjs.Scalar[]] {
    const { loss, metrics } = this.#spec;
    const output = this.#output(batch.inputs, batch.examples, training);
    const target = targetTensor(this.#tf, loss, batch.targets, output.shape);
    return [
      lossSum(this.#tf, loss, output, target),
      ...metrics.map((metric) => metricSum(this.#tf, metric, loss, output, target)),
    ];
  }

  #output(inputs: readonly TargetValues[], examples: number, training: boolean): tfjs.Tensor {
    return this.#model.apply(this.#inputTensors(inputs, examples), { training }) as tfjs.Tensor;
  }

  #inputTensors(inputs: readonly TargetValues[], examples: number): tfjs.Tensor[] {
    return this.#model.inputs.map(({ shape, dtype }, at) =>
      this.#tf.tensor(inputs[at]!, [examples, ...(shape.slice(1) as number[])], dtype),
    );
  }

  async #firstNonFiniteOutput(batch: Microbatch): Promise<string | undefined> {
    const { inputs, layers } = this.#model;
    const computed = layers.filter((layer) => layer.getClassName() !== 'InputLayer');
    const outputs = computed.map((layer) => layer.getOutputAt(0) as tfjs.SymbolicTensor);
    // Made of the model's own layers, so it is not disposed.
    const probe = this.#tf.model({ inputs, outputs });
    this.#state.clearStatistics();
    Object.assign(this.#dropout, { step: batch.step, exampleIds: batch.exampleIds });
    const tensors = this.#tf.tidy(() => {
      const computedOutputs = probe.apply(this.#inputTensors(batch.inputs, batch.examples), {
        training: true,
      });
      return [computedOutputs].flat() as tfjs.Tensor[];
    });
    const values = await Promise.all(tensors.map(takeValues));
    return computed[values.findIndex((output) => !output.every(Number.isFinite))]?.name;
  }

  #sumsAsTotals(examples: number, [loss = 0, ...sums]: readonly number[]): Totals {
    const metrics = this.#spec.metrics.map((metric, at) => [metric, sums[at] ?? 0] as const);
    return { examples, loss, metrics: Object.fromEntries(metrics), penalty: 0 };
  }
}

function addTo(into: Float32Array, offset: number, values: Float32Array, scale: number): void {
  for (let i = 0; i < values.length; i += 1) into[offset + i]! += scale * values[i]!;
}

function addTotals(a: Totals, b: Totals): Totals {
  const metrics = Object.entries(a.metrics).map(
    ([name, sum]) => [name, sum + b.metrics[name as keyof Totals['metrics']]!] as const,
  );
  const [examples, loss] = [a.examples + b.examples, a.loss + b.loss];
  return { examples, loss, metrics: Object.fromEntries(metrics), penalty: 0 };
}

async function takeValues(tensor: tfjs.Tensor): Promise<Float32Array<ArrayBuffer>> {
  try {
    return Float32Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}

async function takeScalars(tensors: readonly tfjs.Tensor[]): Promise<number[]> {
  const values = await Promise.all(tensors.map(takeValues));
  return values.map((value) => value[0]!);
}
