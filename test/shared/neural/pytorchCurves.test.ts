// The compiled engine against PyTorch, whose training of two small nets is recorded (test/data/recordPytorch.py): update
// rules with weight decay, learning rates that change, clipping by norm and batch norm, by losses and last weights.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import type { LayerGraph } from '../../../shared/neural/layerGraph.ts';
import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { NetBuilder } from './netBuilder.ts';
import { relativeDifference, specOf } from './netData.ts';

type Weights = Readonly<Record<string, readonly number[]>>;
type NetName = 'convolutional' | 'dense';

interface Curve {
  readonly net: NetName;
  readonly optimizer: OptimizerSpec;
  readonly clipNorm?: number;
  readonly learningRates: readonly number[];
  readonly initial: Weights;
  /** Of each step's batch, before its update. */
  readonly losses: readonly number[];
  readonly final: Weights;
}

interface Recording {
  readonly examples: number;
  readonly batches: Readonly<
    Record<NetName, readonly { readonly inputs: readonly number[]; readonly targets: readonly number[] }[]>
  >;
  readonly curves: readonly Curve[];
}

const { batches, curves, examples } = JSON.parse(
  readFileSync('test/data/pytorchCurves.json', 'utf8'),
) as Recording;

const BATCH_NORM = { momentum: 0.9, epsilon: 1e-3 };
/** PyTorch computed in double precision; ours is single. Seen on the processor: 3e-7 at most. */
const TOLERANCE = 1e-5;

interface Net {
  readonly graph: LayerGraph;
  /** PyTorch's name of each of our weights. */
  readonly theirs: Readonly<Record<string, string>>;
  /** Values of a channel in a batch: PyTorch's moving variance is of that many less one (Bessel), ours of as many. */
  readonly counts: Readonly<Record<string, number>>;
  /** Examples of each microbatch of a step. Batch statistics are of one. */
  readonly microbatches: readonly number[];
}

function denseNet(): Net {
  const net = new NetBuilder();
  const hidden = net.activation(net.dense(net.input([6]), 8), 'tanh');
  return {
    graph: net.graph(net.dense(hidden, 3)),
    theirs: {
      'dense_1/kernel': '0.weight',
      'dense_1/bias': '0.bias',
      'dense_2/kernel': '2.weight',
      'dense_2/bias': '2.bias',
    },
    counts: {},
    microbatches: [4, 3],
  };
}

function convolutionalNet(): Net {
  const net = new NetBuilder();
  const stem = net.conv(net.input([6, 6, 2]), 4, { padding: 'same', useBias: false });
  const first = net.activation(net.batchNorm(stem, BATCH_NORM), 'relu');
  const around = { top: 1, bottom: 1, left: 1, right: 1 };
  const down = net.conv(first, 5, { stride: 2, padding: around });
  const second = net.activation(net.batchNorm(down, BATCH_NORM), 'relu');
  const theirs: Record<string, string> = {
    'conv2d_1/kernel': '0.weight',
    'conv2d_2/kernel': '3.weight',
    'conv2d_2/bias': '3.bias',
    'dense_1/kernel': '8.weight',
    'dense_1/bias': '8.bias',
  };
  for (const [ours, name] of [
    ['batchNormalization_1', '1'],
    ['batchNormalization_2', '4'],
  ]) {
    theirs[`${ours}/gamma`] = `${name}.weight`;
    theirs[`${ours}/beta`] = `${name}.bias`;
    theirs[`${ours}/moving_mean`] = `${name}.running_mean`;
    theirs[`${ours}/moving_variance`] = `${name}.running_var`;
  }
  return {
    graph: net.graph(net.dense(net.globalPool(second, 'globalAveragePool2d'), 3)),
    theirs,
    counts: { '1.running_var': examples * 6 * 6, '4.running_var': examples * 3 * 3 },
    microbatches: [examples],
  };
}

const nets: Readonly<Record<NetName, () => Net>> = { dense: denseNet, convolutional: convolutionalNet };

let gpu: GPUDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  pipelines = new PipelineCache(gpu);
});
afterAll(() => gpu.destroy());

function named(weights: Weights, { theirs }: Net, name: string): readonly number[] {
  const values = weights[theirs[name] ?? ''];
  if (values === undefined) throw new Error(`PyTorch has no weight for ${name}.`);
  return values;
}

function writeWeights(engine: TrainingEngine, net: Net, initial: Weights): void {
  const { slots, lengths } = engine.layout;
  for (const section of ['parameters', 'statistics'] as const) {
    const values = new Float32Array(lengths[section]);
    for (const slot of slots)
      if (slot.section === section) values.set(named(initial, net, slot.name), slot.offset);
    engine.write(section, values);
  }
}

/** Mean loss of each step. */
async function train(engine: TrainingEngine, net: Net, curve: Curve): Promise<number[]> {
  const losses: number[] = [];
  for (const [step, { inputs, targets }] of batches[curve.net].entries()) {
    const width = inputs.length / examples;
    let first = 0;
    for (const count of net.microbatches) {
      const microbatch = {
        examples: count,
        inputs: [Float32Array.from(inputs.slice(first * width, (first + count) * width))],
        targets: Int32Array.from(targets.slice(first, first + count)),
        exampleIds: new Uint32Array(count),
        step,
      };
      await engine.accumulate(microbatch, { isLast: false });
      first += count;
    }
    losses.push((await engine.takeTotals()).loss / examples);
    const learningRate = curve.learningRates[step]!;
    engine.update({ learningRate, step, examples, microbatches: net.microbatches.length });
  }
  return losses;
}

/** PyTorch's last weight, a moving variance with Bessel's correction taken out of what each step added. */
function expectedWeight(curve: Curve, net: Net, name: string): number[] {
  const final = named(curve.final, net, name);
  const count = net.counts[net.theirs[name] ?? ''];
  if (count === undefined) return [...final];
  const initial = named(curve.initial, net, name);
  const kept = BATCH_NORM.momentum ** curve.losses.length;
  return final.map((value, i) => kept * initial[i]! + (value - kept * initial[i]!) * ((count - 1) / count));
}

const titleOf = ({ optimizer, clipNorm }: Curve): string =>
  clipNorm === undefined ? optimizer.name : `${optimizer.name} clipped`;

const devices: readonly {
  readonly title: string;
  readonly device: () => GPUDevice | 'cpu';
  readonly followed: readonly Curve[];
}[] = [
  { title: 'the processor', device: () => 'cpu', followed: curves },
  {
    title: 'WebGPU',
    device: () => gpu,
    // Every update rule, and each net once: compiling the kernels of a net takes seconds on a software adapter.
    followed: curves.filter(({ net, optimizer }) => net === 'dense' || optimizer.name === 'sgd'),
  },
];

describe.each(devices)('on $title', ({ device, followed }) => {
  it.each(followed.map((curve) => [titleOf(curve), curve.net, curve] as const))(
    "follows PyTorch's %s through a %s net",
    async (_title, name, curve) => {
      const net = nets[name]();
      const spec = specOf(net.graph, {
        loss: { name: 'sparseCategoricalCrossentropy', fromLogits: true },
        optimizer: curve.optimizer,
        microbatchSize: Math.max(...net.microbatches),
        ...(curve.clipNorm !== undefined && { clipNorm: curve.clipNorm }),
      });
      const engine = await createTrainingEngine(spec, { device: device(), pipelines });
      writeWeights(engine, net, curve.initial);

      const losses = await train(engine, net, curve);
      expect(losses.length).toBe(10);
      expect(relativeDifference(losses, curve.losses)).toBeLessThan(TOLERANCE);

      const sections = {
        parameters: await engine.read('parameters'),
        statistics: await engine.read('statistics'),
      };
      expect(engine.layout.slots.length).toBe(Object.keys(curve.final).length);
      for (const slot of engine.layout.slots) {
        const ours = sections[slot.section].subarray(slot.offset, slot.offset + slot.length);
        const theirs = expectedWeight(curve, net, slot.name);
        expect(theirs.length).toBe(ours.length);
        expect.soft(relativeDifference(ours, theirs), slot.name).toBeLessThan(TOLERANCE);
      }
      await engine.close();
    },
  );
});
