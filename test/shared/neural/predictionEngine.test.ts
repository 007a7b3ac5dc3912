// The engine that only predicts, beside the training engine, whose predictions are compared with tfjs's: the same bits
// on the processor, for rows of any number, and no memory for what only training needs.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import { compilePrediction } from '../../../shared/neural/compile/compilePrediction.ts';
import { processorLimits } from '../../../shared/neural/compile/deviceLimits.ts';
import { directConvolution } from '../../../kernels/neural/ops/convolutionDirect.ts';
import { createPredictionEngine } from '../../../shared/neural/engine/createPredictionEngine.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { elementsOf, weightLayout } from '../../../shared/neural/engineLayout.ts';
import type { LayerGraph } from '../../../shared/neural/layerGraph.ts';
import { readModel } from '../../../shared/neural/model/readModel.ts';
import { resnet18 } from '../../../shared/neural/model/resnet18.ts';
import { fromSections, initialWeights } from '../../../shared/neural/state/namedState.ts';
import type { Tensor } from '../../../shared/neural/state/safetensors.ts';
import type { EngineSpec, TargetValues } from '../../../shared/neural/trainingEngine.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { drawBatch, drawState, relativeDifference, specOf } from './netData.ts';
import { netCases } from './nets.ts';

let gpu: GPUDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  pipelines = new PipelineCache(gpu);
});
afterAll(() => gpu.destroy());

const ROWS = 9;
const AT_A_TIME = 4;

/** Some rows of a batch. */
function cut(graph: LayerGraph, inputs: readonly TargetValues[], from: number, to: number): TargetValues[] {
  return inputs.map((values, k) => {
    const width = elementsOf(graph.nodes[graph.inputs[k]!]!.shape);
    return values.slice(from * width, to * width);
  });
}

/** Weights of a seed, and what the training engine predicts with them, four rows at a time. */
async function trained(spec: EngineSpec): Promise<{
  weights: ReadonlyMap<string, Tensor>;
  inputs: readonly TargetValues[];
  expected: number[];
  total: number;
}> {
  const engine = await createTrainingEngine(spec, { device: 'cpu' });
  const state = drawState(engine.layout, 3);
  engine.write('parameters', state.parameters);
  engine.write('statistics', state.statistics);
  const sections = { ...state, optimizer: new Float32Array(engine.layout.lengths.optimizer) };
  const { weights } = fromSections(engine.layout, sections, 0);
  const { inputs } = drawBatch(spec, ROWS, 5);
  const expected: number[] = [];
  for (let from = 0; from < ROWS; from += AT_A_TIME) {
    const to = Math.min(ROWS, from + AT_A_TIME);
    expected.push(...(await engine.predict(cut(spec.graph, inputs, from, to), to - from)));
  }
  const { total } = engine.memory;
  await engine.close();
  return { weights, inputs, expected, total };
}

describe.each(netCases.map(({ title, spec }) => [title, spec] as const))('%s', (_, spec) => {
  it('is predicted as by the training engine, to the bit on the processor, in any pieces and in less memory', async () => {
    const { graph } = spec;
    const { weights, inputs, expected, total } = await trained(spec);
    const width = expected.length / ROWS;
    for (const device of ['cpu', gpu] as const) {
      const tracker = new BufferTracker();
      const options = { device, tracker, pipelines, mostRows: AT_A_TIME };
      const engine = await createPredictionEngine(graph, weights, options);
      const all = await engine.predict(inputs, ROWS);
      if (device === 'cpu') expect([...all]).toEqual(expected);
      else expect(relativeDifference(all, expected)).toBeLessThan(2e-5);
      // A smaller batch after a larger one, and several that nobody waited for.
      const some = await Promise.all(
        [0, 3, 5].map((from) => engine.predict(cut(graph, inputs, from, from + 1), 1)),
      );
      expect(some.flatMap((values) => [...values])).toEqual(
        [0, 3, 5].flatMap((row) => [...all.subarray(row * width, (row + 1) * width)]),
      );
      expect(await engine.predict(cut(graph, inputs, 0, 0), 0)).toHaveLength(0);
      expect(engine.memory).toMatchObject({ gradients: 0, optimizer: 0, staging: 0 });
      expect(engine.memory.total).toBeLessThan(total);
      if (device !== 'cpu') expect(tracker.liveBytes / engine.memory.total).toBeLessThan(1.2);
      await engine.close();
      expect(tracker.liveBytes).toBe(0);
    }
  });
});

describe('A program that only predicts', () => {
  it('names no buffer of gradients, targets or losses, and computes forward alone', () => {
    for (const { spec } of netCases) {
      const options = {
        limits: processorLimits,
        adapter: 'software',
        convolutions: directConvolution,
      } as const;
      const { program } = compilePrediction(spec.graph, AT_A_TIME, options);
      const names = [
        ...program.calls.flatMap(({ buffers }) => Object.values(buffers)),
        ...Object.keys(program.memory.views),
      ];
      const training =
        /^(gradient|slope|targets|rowTotals|totals|exampleIds|winners|means|inverses|sums|reduction)\b/;
      expect(names.filter((name) => training.test(name))).toEqual([]);
      expect(program.calls.filter(({ phase }) => phase !== 'forward')).toEqual([]);
      expect(program.uniforms.map(({ name }) => name)).toEqual(['batch']);
    }
  });

  it('of ResNet-18 takes a third of what a training program takes, and few rows at a time where many do not fit', async () => {
    const read = readModel(resnet18({ stem: '3x3' }), 'predictions');
    if (read.kind !== 'compiled') throw new Error(read.part.reason);
    const { graph, initializers } = read;
    const weights = initialWeights(graph, initializers, 1);
    const training = await createTrainingEngine(specOf(graph, { microbatchSize: 64 }), {
      device: 'cpu',
      readsBuckets: false,
    });
    const before = training.memory;
    await training.close();
    const predicting = await createPredictionEngine(graph, weights, { device: 'cpu' });
    const { memory, mostRows } = predicting;
    await predicting.close();
    expect(mostRows).toBe(64);
    expect(before.total / memory.total).toBeGreaterThan(3);
    const parameters = [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
    expect(memory.parameters / (4 * parameters)).toBeCloseTo(1, 2);
    const wide = await createPredictionEngine(graph, weights, { device: 'cpu', mostRows: 100_000 });
    expect(wide.mostRows).toBeGreaterThan(64);
    expect(wide.memory.activations).toBeLessThanOrEqual(256 * 1024 * 1024);
    await wide.close();
  });

  it('refuses weights and arrays that are not those of the net, and answers no more when it is closed', async () => {
    const { graph } = netCases[0]!.spec;
    const names = weightLayout(graph).slots;
    const weights = new Map(
      names.map(({ name, shape, length }) => [name, { shape, values: new Float32Array(length) }]),
    );
    const [first] = weights.keys();
    const fewer = new Map([...weights].filter(([name]) => name !== first));
    await expect(createPredictionEngine(graph, fewer, { device: 'cpu' })).rejects.toMatchObject({
      code: 'NEURAL_WEIGHTS_MISMATCH',
      place: { field: first },
    });
    const engine = await createPredictionEngine(graph, weights, { device: 'cpu' });
    await expect(engine.predict([new Float32Array(5)], 1)).rejects.toThrow(/has 5 values, expected 243/);
    await engine.close();
    await expect(engine.predict([new Float32Array(243)], 1)).rejects.toMatchObject({ code: 'ENGINE_MISUSE' });
  });
});
