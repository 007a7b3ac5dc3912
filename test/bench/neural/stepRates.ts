// Seconds of one training step of a net: forward, backward, update, and the small read of the loss that waits for all of it. By
// the compiled engine; by tfjs as its users train, everything on its WebGPU backend; and by the engine that nets fall back
// to, which takes tfjs's gradients but sums up and updates on the processor.

import type * as tfjs from '@tensorflow/tfjs';
import type { ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import { loadTfjs } from '../../../client/neural/tfjs/loadTfjs.ts';
import { openTfjsEngine } from '../../../client/neural/tfjs/tfjsEngine.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import { resnet18 } from '../../../shared/neural/model/resnet18.ts';
import type { EngineSpec, Microbatch, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { seededNumbers } from '../../kernels/seededNumbers.ts';
import { median } from '../median.ts';
import { countSubmissions } from './stepFacts.ts';

export interface StepNet {
  readonly name: string;
  readonly topology: object;
  /** Multiplications and additions of one example trained; 0 where nobody counted. */
  readonly flop: number;
}

const SIDE = 28;
const CLASSES = 10;

function layer(className: string, name: string, config: object): object {
  return { class_name: className, config: { name, ...config } };
}

function convolution(name: string, filters: number, more: object = {}): object {
  const config = {
    filters,
    kernel_size: [3, 3],
    strides: [1, 1],
    padding: 'same',
    activation: 'relu',
    use_bias: true,
  };
  return layer('Conv2D', name, { ...config, ...more });
}

function smallNet(): object {
  const layers = [
    convolution('first', 32, { batch_input_shape: [null, SIDE, SIDE, 1] }),
    layer('MaxPooling2D', 'halved', { pool_size: [2, 2], strides: [2, 2], padding: 'valid' }),
    convolution('second', 64),
    layer('MaxPooling2D', 'quartered', { pool_size: [2, 2], strides: [2, 2], padding: 'valid' }),
    layer('Flatten', 'flat', {}),
    layer('Dense', 'classes', { units: CLASSES, activation: 'softmax', use_bias: true }),
  ];
  return { class_name: 'Sequential', config: { name: 'small', layers } };
}

function denseNet(): object {
  const layers = [
    layer('Flatten', 'flat', { batch_input_shape: [null, SIDE, SIDE, 1] }),
    layer('Dense', 'first', { units: 512, activation: 'relu', use_bias: true }),
    layer('Dense', 'second', { units: 512, activation: 'relu', use_bias: true }),
    layer('Dense', 'classes', { units: CLASSES, activation: 'softmax', use_bias: true }),
  ];
  return { class_name: 'Sequential', config: { name: 'dense', layers } };
}

export const stepNets: Readonly<Record<'dense' | 'large' | 'lesson' | 'small', StepNet>> = {
  dense: { name: 'MLP 784-512-512-10', topology: denseNet(), flop: 3.21e6 },
  small: { name: 'convnet 32-64', topology: smallNet(), flop: 0 },
  lesson: { name: 'ResNet-18, 7x7/2 stem', topology: resnet18({ stem: '7x7' }), flop: 0.197e9 },
  large: { name: 'ResNet-18, 3x3 stem', topology: resnet18({ stem: '3x3' }), flop: 2.734e9 },
};

function specOf(microbatchSize: number): Omit<EngineSpec, 'graph'> {
  return {
    loss: { name: 'sparseCategoricalCrossentropy', fromLogits: false },
    metrics: ['accuracy'],
    optimizer: { name: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
    microbatchSize,
    bucketBytes: 25e6,
    seed: 1,
    syncBatchNorm: false,
  };
}

export function drawnBatch(examples: number): Microbatch {
  const random = seededNumbers(3);
  return {
    examples,
    inputs: [Float32Array.from({ length: examples * SIDE * SIDE }, () => random.next())],
    targets: Int32Array.from({ length: examples }, () => random.below(CLASSES)),
    exampleIds: Uint32Array.from({ length: examples }, (_, i) => i),
    step: 0,
  };
}

/** Steps that compile and warm up. */
const WARM_STEPS = 2;

/** How long a step is measured. */
export interface StepTiming {
  readonly leastSteps: number;
  readonly secondsWanted: number;
}

/** Median, after some steps that do not count. */
async function secondsOf(once: (step: number) => Promise<unknown>, timing: StepTiming): Promise<number> {
  const seconds: number[] = [];
  let spent = 0;
  for (let step = 0; seconds.length < timing.leastSteps || spent < timing.secondsWanted; step += 1) {
    const start = performance.now();
    await once(step);
    if (step < WARM_STEPS) continue;
    seconds.push((performance.now() - start) / 1000);
    spent += seconds.at(-1)!;
  }
  return median(seconds);
}

/** The loss is read back, which waits for all of the step. */
export async function makeStep(engine: TrainingEngine, batch: Microbatch, step: number): Promise<void> {
  await engine.accumulate({ ...batch, step }, { isLast: true });
  engine.update({ learningRate: 0.01, step, examples: batch.examples, microbatches: 1 });
  await engine.takeTotals();
}

async function secondsOfEngine(
  engine: TrainingEngine,
  batch: Microbatch,
  timing: StepTiming,
): Promise<number> {
  const seconds = await secondsOf((step) => makeStep(engine, batch, step), timing);
  await engine.close();
  return seconds;
}

export function compiledSpec(net: StepNet, examples: number): EngineSpec {
  const model = readModel(net.topology);
  if (model.kind !== 'compiled') throw new Error(`${net.name}: ${model.part.reason}`);
  return { ...specOf(examples), graph: model.graph };
}

async function compiledEngine(
  device: GPUDevice | 'cpu',
  net: StepNet,
  examples: number,
  convolutions?: ConvolutionKernels,
): Promise<TrainingEngine> {
  const engine = await createTrainingEngine(compiledSpec(net, examples), {
    device,
    readsBuckets: false,
    ...(convolutions && { convolutions }),
  });
  const random = seededNumbers(5);
  engine.write(
    'parameters',
    Float32Array.from({ length: engine.layout.lengths.parameters }, () => 0.1 * (random.next() - 0.5)),
  );
  return engine;
}

/** On a GPU, or on the processor. */
export async function compiledStep(
  device: GPUDevice | 'cpu',
  net: StepNet,
  examples: number,
  timing: StepTiming,
  convolutions?: ConvolutionKernels,
): Promise<number> {
  return secondsOfEngine(
    await compiledEngine(device, net, examples, convolutions),
    drawnBatch(examples),
    timing,
  );
}

/** Of one step, after the first. */
export async function submissionsOfStep(device: GPUDevice, net: StepNet, examples: number): Promise<number> {
  const engine = await compiledEngine(device, net, examples);
  const batch = drawnBatch(examples);
  await makeStep(engine, batch, 0);
  const submissions = await countSubmissions(device, () => makeStep(engine, batch, 1));
  await engine.close();
  return submissions;
}

/** A step of tfjs by itself: optimizer.minimize with the same optimizer and loss, on its current backend. */
export async function momentumStep(
  tf: typeof tfjs,
  net: StepNet,
  { examples, inputs, targets }: Microbatch,
): Promise<{ readonly once: () => Promise<void>; readonly close: () => void }> {
  const json = { modelTopology: net.topology } as Parameters<typeof tf.models.modelFromJSON>[0];
  const model = await tf.models.modelFromJSON(json);
  const optimizer = tf.train.momentum(0.01, 0.9);
  return {
    once: async () => {
      const images = tf.tensor4d(inputs[0] as Float32Array, [examples, SIDE, SIDE, 1]);
      const labels = tf.tidy(() => tf.oneHot(tf.tensor1d(targets as Int32Array, 'int32'), CLASSES).toFloat());
      const loss = optimizer.minimize(() => {
        const output = model.apply(images, { training: true }) as tfjs.Tensor2D;
        return tf.losses.softmaxCrossEntropy(labels, output);
      }, true)!;
      await loss.data();
      tf.dispose([images, labels, loss]);
    },
    close: () => {
      optimizer.dispose();
      model.dispose();
    },
  };
}

/** The same on its WebGPU backend or, without an adapter, on its plain one. */
export async function tfjsStep(
  adapter: GPUAdapter | undefined,
  net: StepNet,
  examples: number,
  timing: StepTiming,
): Promise<number> {
  const { tf } = await loadTfjs(adapter);
  const { once, close } = await momentumStep(tf, net, drawnBatch(examples));
  const seconds = await secondsOf(once, timing);
  close();
  return seconds;
}

/** The engine of nets that are not compiled. */
export async function fallbackStep(
  adapter: GPUAdapter,
  net: StepNet,
  examples: number,
  timing: StepTiming,
): Promise<number> {
  const runtime = await loadTfjs(adapter);
  const engine = await openTfjsEngine({ ...specOf(examples), topology: net.topology }, runtime);
  return secondsOfEngine(engine, drawnBatch(examples), timing);
}
