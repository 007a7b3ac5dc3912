// The compiled engine on both devices: the same numbers, and gradients that are those of the loss.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import type { EngineSpec, Microbatch, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { drawBatch, readReduction, relativeDifference } from './netData.ts';
import { playSteps, writeState } from './playNet.ts';
import { netCases } from './nets.ts';

let gpu: GPUDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  pipelines = new PipelineCache(gpu);
});
afterAll(() => gpu.destroy());

/** The loss that the gradients are of, with batch statistics and dropout as in training. */
async function trainingLoss(engine: TrainingEngine, batch: Microbatch): Promise<number> {
  await engine.takeTotals();
  await engine.accumulate(batch, { isLast: false });
  return (await engine.takeTotals()).loss;
}

describe.each(netCases.map((each) => [each.title, each.spec] as const))('%s', (_, given) => {
  const spec: EngineSpec = {
    ...given,
    optimizer: { name: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  };

  it('trains to the same numbers on WebGPU as on the processor', async () => {
    const tracker = new BufferTracker();
    const played = [];
    for (const device of ['cpu', gpu] as const) {
      const engine = await createTrainingEngine(spec, { device, tracker, pipelines });
      played.push(await playSteps(engine, spec));
      if (device !== 'cpu') {
        expect(tracker.peakBytes / engine.memory.total).toBeGreaterThan(0.95);
        // Uniforms and what was read once.
        expect(tracker.peakBytes - engine.memory.total).toBeLessThan(
          4 * engine.layout.reductionLength + 4096,
        );
      }
      await engine.close();
    }
    const [expected = [], actual = []] = played;
    expect(actual.length).toBe(expected.length);
    actual.forEach((values, k) => expect(relativeDifference(values, expected[k]!)).toBeLessThan(2e-5));
    expect(tracker.liveBytes).toBe(0);
  });

  it('gives the gradients that finite differences of the loss give', async () => {
    const engine = await createTrainingEngine(spec, { device: 'cpu' });
    const parameters = writeState(engine, 3);
    const batch = drawBatch(spec, 4, 5);
    await engine.accumulate(batch, { isLast: false });
    const { loss } = await engine.takeTotals();
    const gradients = (await readReduction(engine)).subarray(0, parameters.length);
    const largest = gradients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const trainable = new Set(
      spec.graph.nodes.flatMap(({ weights }) =>
        weights.filter((weight) => weight.trainable).map(({ name }) => name),
      ),
    );
    for (const { name, section, offset, length } of engine.layout.slots) {
      if (section !== 'parameters') continue;
      // First, middle and last element of each weight.
      for (const at of new Set([offset, offset + (length >> 1), offset + length - 1])) {
        if (!trainable.has(name)) {
          expect(gradients[at]).toBe(0);
          continue;
        }
        // From below and from above: where a relu or a maximum turns in between, the gradient lies between them.
        const slopes: number[] = [];
        for (const step of [2 ** -9, -(2 ** -9)]) {
          const moved = parameters.slice();
          moved[at]! += step;
          engine.write('parameters', moved);
          slopes.push(((await trainingLoss(engine, batch)) - loss) / step);
        }
        const margin = 4e-3 * largest;
        expect.soft(gradients[at], `${name}[${at - offset}]`).toBeGreaterThan(Math.min(...slopes) - margin);
        expect.soft(gradients[at], `${name}[${at - offset}]`).toBeLessThan(Math.max(...slopes) + margin);
      }
    }
    await engine.close();
  });
});

it('moves no gradients off the device in a step whose buckets nobody fetches early', async () => {
  const { spec } = netCases.at(-1)!;
  const batch = drawBatch(spec, 4, 5);
  const read = [];
  for (const readsBuckets of [false, true]) {
    const tracker = new BufferTracker();
    const engine = await createTrainingEngine(spec, {
      device: gpu,
      tracker,
      pipelines,
      readsBuckets,
    });
    writeState(engine, 3);
    const before = tracker.peakBytes;
    for (let k = 0; k < 3; k += 1) await engine.accumulate(batch, { isLast: k === 2 });
    expect(tracker.peakBytes).toBe(before);
    expect(engine.memory.staging).toBe(readsBuckets ? 4 * engine.layout.reductionLength : 0);
    read.push(await readReduction(engine));
    await engine.close();
  }
  expect(read[0]).toEqual(read[1]);
});
