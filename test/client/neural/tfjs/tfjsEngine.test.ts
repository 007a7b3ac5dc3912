// The engine on tfjs against tfjs's own fit, batch by batch: an oracle that shares its layers, and none of the rest.

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTfjs, type TfjsRuntime } from '../../../../client/neural/tfjs/loadTfjs.ts';
import { openTfjsEngine, type TfjsEngineSpec } from '../../../../client/neural/tfjs/tfjsEngine.ts';
import type { OptimizerSpec } from '../../../../kernels/neural/optimizer.ts';
import type { Microbatch, TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import {
  batchOf,
  CLASSES,
  convnet,
  dense,
  denseNet,
  EXAMPLES,
  inputTensors,
  nestedNet,
  recurrentNet,
  sgd,
  specOf,
  targetTensor,
  topologyOf,
} from './smallNets.ts';

const adam = { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 } as const;

let runtime: TfjsRuntime;
beforeAll(async () => void (runtime = await loadTfjs(undefined)));

describe('against a plain fit of tfjs', () => {
  const cases: readonly {
    readonly title: string;
    readonly model: () => tf.LayersModel;
    readonly optimizer: OptimizerSpec;
    readonly theirs: () => tf.Optimizer;
  }[] = [
    {
      title: 'a convolution net with batch normalization, by SGD',
      model: convnet,
      optimizer: sgd,
      theirs: () => tf.train.sgd(0.1),
    },
    {
      title: 'the same by SGD with momentum',
      model: convnet,
      optimizer: { ...sgd, momentum: 0.9 },
      theirs: () => tf.train.momentum(0.1, 0.9),
    },
    {
      title: 'the same by Nesterov momentum',
      model: convnet,
      optimizer: { ...sgd, momentum: 0.9, nesterov: true },
      theirs: () => tf.train.momentum(0.1, 0.9, true),
    },
    {
      title: 'the same by Adam',
      model: convnet,
      optimizer: adam,
      theirs: () => tf.train.adam(0.01, 0.9, 0.999, 1e-7),
    },
    {
      title: 'an LSTM, which no compiled engine knows, with penalties',
      model: recurrentNet,
      optimizer: sgd,
      theirs: () => tf.train.sgd(0.1),
    },
    {
      title: 'a model within a model, its first layer frozen',
      model: nestedNet,
      optimizer: sgd,
      theirs: () => tf.train.sgd(0.1),
    },
  ];
  it.each(cases)('has the same losses, weights and statistics over five steps: $title', async (one) => {
    const model = one.model();
    const topology = topologyOf(model);
    model.compile({ optimizer: one.theirs(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const engine = await openTfjsEngine(specOf(topology, { optimizer: one.optimizer }), runtime);
    write(engine, model);

    // Adam makes much of the rounding of small gradients.
    const learningRate = one.optimizer.name === 'adam' ? 0.01 : 0.1;
    for (let step = 0; step < 5; step += 1) {
      const batch = batchOf(model, step);
      const [theirLoss, theirAccuracy] = await theirStep(model, batch);
      await engine.accumulate(batch, { isLast: true });
      const { loss, metrics, examples, penalty } = await engine.takeTotals();
      engine.update({ learningRate, step, examples: EXAMPLES, microbatches: 1 });
      expect(examples).toBe(EXAMPLES);
      expect(loss / EXAMPLES + penalty).toBeCloseTo(theirLoss!, 5);
      expect(metrics.accuracy! / EXAMPLES).toBeCloseTo(theirAccuracy!, 5);
      await expectWeights(engine, model, 2e-5);
    }
    await engine.close();
    model.dispose();
  });

  it('predicts and evaluates with the moving statistics, as tfjs does', async () => {
    const model = convnet();
    const engine = await openTfjsEngine(specOf(topologyOf(model)), runtime);
    write(engine, model);
    const batch = batchOf(model, 0);
    await engine.accumulate(batch, { isLast: true });
    const theirs = model.predict(inputTensors(model, batch)) as tf.Tensor;
    const ours = await engine.predict(batch.inputs, EXAMPLES);
    expectClose(ours, theirs.dataSync<'float32'>(), 1e-6);
    const { loss, metrics } = await engine.evaluate(batch);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const [theirLoss, theirAccuracy] = model.evaluate(inputTensors(model, batch), targetTensor(batch), {
      batchSize: EXAMPLES,
    }) as tf.Scalar[];
    expect(loss / EXAMPLES).toBeCloseTo(theirLoss!.dataSync()[0]!, 5);
    expect(metrics.accuracy! / EXAMPLES).toBeCloseTo(theirAccuracy!.dataSync()[0]!, 5);
    await engine.close();
  });
});

describe('losses', () => {
  // Of one example with the outputs 2 and -1 (as logits) or 0.7 and 0.2 (as probabilities), by hand.
  const [a, b] = [Math.exp(2), Math.exp(-1)];
  it.each([
    ['categoricalCrossentropy', true, [0, 1], -Math.log(b / (a + b))],
    ['categoricalCrossentropy', false, [0, 1], -Math.log(0.2 / 0.9)],
    ['sparseCategoricalCrossentropy', true, [1], -Math.log(b / (a + b))],
    ['binaryCrossentropy', true, [1, 0], (Math.log(1 + 1 / a) + Math.log(1 + b)) / 2],
    ['binaryCrossentropy', false, [1, 0], -(Math.log(0.7) + Math.log(0.8)) / 2],
    ['meanSquaredError', false, [1, 0], (0.3 ** 2 + 0.2 ** 2) / 2],
  ] as const)('%s from logits: %s', async (name, fromLogits, targets, expected) => {
    const identity = tf.sequential({ layers: [tf.layers.reshape({ targetShape: [2], inputShape: [2] })] });
    const spec = specOf(topologyOf(identity), { loss: { name, fromLogits }, metrics: [] });
    const engine = await openTfjsEngine(spec, runtime);
    const inputs = [Float32Array.from(fromLogits ? [2, -1] : [0.7, 0.2])];
    const isSparse = name === 'sparseCategoricalCrossentropy';
    const { loss } = await engine.evaluate({
      examples: 1,
      inputs,
      targets: isSparse ? Int32Array.from(targets) : Float32Array.from(targets),
    });
    expect(loss).toBeCloseTo(expected, 5);
    await engine.close();
  });
});

describe('a step', () => {
  it('is the same in one microbatch or in three, where no batch statistics are', async () => {
    const model = denseNet();
    const whole = await trained(model, [[0, 6]]);
    const parts = await trained(model, [
      [0, 1],
      [1, 4],
      [4, 6],
    ]);
    expectClose(parts.weights, whole.weights, 1e-6);
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    // Dropout is on: another seed gives other weights.
    const other = await trained(model, [[0, 6]], { seed: 8 });
    expect(other.weights).not.toEqual(whole.weights);
  });

  it('averages batch statistics over its microbatches', async () => {
    const model = tf.sequential({
      layers: [tf.layers.batchNormalization({ inputShape: [CLASSES], momentum: 0.75 })],
    });
    const spec = specOf(topologyOf(model), {
      loss: { name: 'meanSquaredError', fromLogits: false },
      metrics: [],
    });
    const engine = await openTfjsEngine(spec, runtime);
    for (const [first, second] of [
      [1, 3],
      [5, 9],
    ] as const) {
      const rows = [first, second].flatMap((value) => [value, 0, 0]);
      const inputs = [Float32Array.from(rows)];
      const targets = new Float32Array(6);
      const exampleIds = Uint32Array.of(0, 1);
      await engine.accumulate({ examples: 2, inputs, targets, exampleIds, step: 0 }, { isLast: true });
    }
    engine.update({ learningRate: 0.1, step: 0, examples: 4, microbatches: 2 });
    const statistics = await engine.read('statistics');
    // Means 2 and 7, variances 1 and 4, moved a quarter of the way from 0 and 1.
    expectClose(statistics, [4.5 / 4, 0, 0, 0.75 + 2.5 / 4, 0.75, 0.75], 1e-6);
    await engine.close();
  });

  it('clips gradients after averaging, and takes weight decay off', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], useBias: false })] });
    const topology = topologyOf(model);
    const loss = { name: 'meanSquaredError', fromLogits: false } as const;
    const step = async (changes: Partial<TfjsEngineSpec>): Promise<number> => {
      const engine = await openTfjsEngine(specOf(topology, { loss, metrics: [], ...changes }), runtime);
      engine.write('parameters', Float32Array.of(2));
      // d/dw (w·3 − 0)² = 18 w = 36 an example.
      const inputs = [Float32Array.of(3, 3)];
      const exampleIds = Uint32Array.of(0, 1);
      await engine.accumulate(
        { examples: 2, inputs, targets: new Float32Array(2), exampleIds, step: 0 },
        { isLast: true },
      );
      engine.update({ learningRate: 0.01, step: 0, examples: 2, microbatches: 1 });
      const weights = await engine.read('parameters');
      await engine.close();
      return weights[0]!;
    };
    expect(await step({})).toBeCloseTo(2 - 0.36, 5);
    expect(await step({ clipNorm: 10 })).toBeCloseTo(2 - 0.1, 5);
    expect(await step({ clipValue: 5 })).toBeCloseTo(2 - 0.05, 5);
    expect(await step({ optimizer: { ...sgd, weightDecay: 0.5 } })).toBeCloseTo(2 - 0.37, 5);
    expect(await step({ optimizer: { ...adam, weightDecay: 0.5 } })).toBeCloseTo(2 - 0.01, 5);
    expect(await step({ optimizer: { ...adam, name: 'adamw', weightDecay: 0.5 } })).toBeCloseTo(
      2 - 0.01 - 0.01,
      5,
    );
  });

  it('ends within the constraints of its weights, which tfjs itself forgets in a fit', async () => {
    const kernelConstraint = tf.constraints.maxNorm({ maxValue: 0.1 });
    const model = tf.sequential({ layers: [dense(CLASSES, { inputShape: [4], kernelConstraint })] });
    const engine = await openTfjsEngine(specOf(topologyOf(model)), runtime);
    write(engine, model);
    await engine.accumulate(batchOf(model, 0), { isLast: true });
    engine.update({ learningRate: 0.1, step: 0, examples: EXAMPLES, microbatches: 1 });
    const kernel = (await engine.read('parameters')).slice(0, 4 * CLASSES);
    for (let column = 0; column < CLASSES; column += 1) {
      const norm = Math.hypot(...kernel.filter((_, at) => at % CLASSES === column));
      expect(norm).toBeCloseTo(0.1, 5);
    }
    await engine.close();
  });

  it('can be redone from buckets that a peer sent', async () => {
    const model = convnet();
    const topology = topologyOf(model);
    const spec = specOf(topology, { bucketBytes: 128 });
    const [one, two] = [await openTfjsEngine(spec, runtime), await openTfjsEngine(spec, runtime)];
    write(one, model);
    write(two, model);
    await one.accumulate(batchOf(model, 0), { isLast: true });
    expect(one.layout.buckets.length).toBeGreaterThan(2);
    const covered = one.layout.buckets.reduce((sum, { length }) => sum + length, 0);
    expect(covered).toBe(one.layout.reductionLength);
    for (const index of one.layout.buckets.keys()) two.writeBucket(index, await one.readBucket(index));
    for (const engine of [one, two])
      engine.update({ learningRate: 0.1, step: 0, examples: EXAMPLES, microbatches: 1 });
    for (const section of ['parameters', 'statistics'] as const) {
      expect(await two.read(section)).toEqual(await one.read(section));
    }
    await one.close();
    await two.close();
  });

  it('leaves no tensor behind', async () => {
    const model = convnet();
    const before = tf.memory().numTensors;
    const engine = await openTfjsEngine(specOf(topologyOf(model)), runtime);
    const counts: number[] = [];
    for (let step = 0; step < 3; step += 1) {
      await engine.accumulate(batchOf(model, step), { isLast: true });
      engine.update({ learningRate: 0.1, step, examples: EXAMPLES, microbatches: 1 });
      await engine.evaluate(batchOf(model, step));
      await engine.predict(batchOf(model, step).inputs, EXAMPLES);
      await engine.findNonFinite(batchOf(model, step));
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
    expect(engine.memory.activations).toBeGreaterThan(EXAMPLES * 8 * 8 * 2 * 4);
    await engine.close();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what is wrong is named', () => {
  it('the first layer whose output is not finite', async () => {
    const model = convnet();
    const engine = await openTfjsEngine(specOf(topologyOf(model)), runtime);
    const batch = batchOf(model, 0);
    expect(await engine.findNonFinite(batch)).toBeUndefined();
    const parameters = await engine.read('parameters');
    const slot = engine.layout.slots.find(({ name }) => name === 'last/kernel')!;
    parameters[slot.offset] = Number.POSITIVE_INFINITY;
    engine.write('parameters', parameters);
    expect(await engine.findNonFinite(batch)).toEqual({ layer: 'last', phase: 'forward' });
    await engine.close();
  });

  it.each([
    [
      'several outputs',
      () => {
        const input = tf.input({ shape: [2] });
        return tf.model({
          inputs: input,
          outputs: [1, 2].map((units) => dense(units).apply(input) as tf.SymbolicTensor),
        });
      },
      /2 outputs/,
    ],
    [
      'an input of open size',
      () => tf.sequential({ layers: [tf.layers.globalAveragePooling1d({ inputShape: [null, 2] })] }),
      /shape \[, , 2\].*every dimension but the first/,
    ],
  ])('a model with %s', async (_title, make, message) => {
    const spec = specOf(topologyOf(make()));
    await expect(openTfjsEngine(spec, runtime)).rejects.toThrow(message);
    await expect(openTfjsEngine(spec, runtime)).rejects.toMatchObject({ code: 'ENGINE_UNSUITABLE' });
  });

  it('a layer that tfjs has not', async () => {
    const topology = {
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Unheard', config: {} }] },
    };
    await expect(openTfjsEngine(specOf(topology), runtime)).rejects.toThrow(/Unknown layer: Unheard/);
  });

  it('statistics over all workers, which tfjs can not wait for', async () => {
    const spec = specOf(topologyOf(denseNet()), { syncBatchNorm: true });
    await expect(openTfjsEngine(spec, runtime)).rejects.toMatchObject({ place: { field: 'syncBatchNorm' } });
  });
});

/** The model's weights into the engine, found by their names. */
function write(engine: TrainingEngine, model: tf.LayersModel): void {
  for (const section of ['parameters', 'statistics'] as const)
    engine.write(section, sectionOf(engine, model, section));
}

async function expectWeights(
  engine: TrainingEngine,
  model: tf.LayersModel,
  tolerance: number,
): Promise<void> {
  for (const section of ['parameters', 'statistics'] as const) {
    expectClose(await engine.read(section), sectionOf(engine, model, section), tolerance);
  }
}

function sectionOf(
  engine: TrainingEngine,
  model: tf.LayersModel,
  section: 'parameters' | 'statistics',
): Float32Array {
  const weights = model.layers.flatMap(({ weights: own }) => own);
  const values = new Float32Array(engine.layout.lengths[section]);
  for (const slot of engine.layout.slots.filter((one) => one.section === section)) {
    const weight = weights.find(({ originalName }) => originalName === slot.name);
    if (!weight) throw new Error(`The model has no weight ${slot.name}.`);
    values.set(weight.read().dataSync<'float32'>(), slot.offset);
  }
  return values;
}

/** One batch as tfjs's fit does it: loss and accuracy. */
async function theirStep(model: tf.LayersModel, batch: Microbatch): Promise<number[]> {
  return (await model.trainOnBatch(inputTensors(model, batch), targetTensor(batch))) as number[];
}

/** One step over the batch in the given pieces. */
async function trained(
  model: tf.LayersModel,
  pieces: readonly (readonly [number, number])[],
  changes: Partial<TfjsEngineSpec> = {},
): Promise<{ readonly weights: Float32Array; readonly loss: number }> {
  const engine = await openTfjsEngine(specOf(topologyOf(model), changes), runtime);
  write(engine, model);
  const whole = batchOf(model, 0);
  for (const [start, end] of pieces) {
    const inputs = whole.inputs.map((values) =>
      values.slice((start * values.length) / EXAMPLES, (end * values.length) / EXAMPLES),
    );
    const targets = whole.targets.slice(start * CLASSES, end * CLASSES);
    const exampleIds = whole.exampleIds.slice(start, end);
    await engine.accumulate(
      { examples: end - start, inputs, targets, exampleIds, step: 0 },
      { isLast: end === EXAMPLES },
    );
  }
  engine.update({ learningRate: 0.1, step: 0, examples: EXAMPLES, microbatches: pieces.length });
  const { loss } = await engine.takeTotals();
  const weights = await engine.read('parameters');
  await engine.close();
  return { weights, loss };
}

function expectClose(ours: ArrayLike<number>, theirs: ArrayLike<number>, tolerance: number): void {
  expect(ours).toHaveLength(theirs.length);
  const worst = Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i]!)));
  expect(worst).toBeLessThan(tolerance);
}
