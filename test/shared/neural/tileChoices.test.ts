// Members of a group whose products are cut into different tiles, as when each was tuned for itself.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import type { TileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { createTileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { NetBuilder } from './netBuilder.ts';
import { drawBatch, drawState, readReduction, relativeDifference, specOf } from './netData.ts';

let gpu: GPUDevice;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
});
afterAll(() => gpu.destroy());

const plain = createTileChooser('software');
/** The same tiles, but every sum over a kernel's gradient in four parts. */
const inParts: TileChooser = {
  choose: (size) => ({ ...plain.choose(size), splits: size.kind === 'weights' ? 4 : 1 }),
};

it('leaves members with the same bits, though their gradients are rounded differently', async () => {
  const net = new NetBuilder();
  const images = net.activation(net.conv(net.input([9, 8, 3]), 8), 'relu');
  const spec = specOf(net.graph(net.dense(net.flatten(images), 3)), {
    optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 },
    clipNorm: 0.5,
    bucketBytes: 600,
  });
  const pipelines = new PipelineCache(gpu);
  const engines = await Promise.all(
    [plain, inParts].map((chooser) =>
      createTrainingEngine(spec, {
        device: gpu,
        pipelines,
        convolutions: createProductConvolutions(chooser),
      }),
    ),
  );
  for (const engine of engines) {
    engine.write('parameters', drawState(engine.layout, 3).parameters);
  }
  for (let step = 0; step < 3; step += 1) {
    // The same rows, so that only the order of the sums tells the two apart.
    const batch = drawBatch(spec, 4, 5 + step);
    const reductions = [];
    for (const engine of engines) {
      await engine.accumulate({ ...batch, step }, { isLast: true });
      reductions.push(await readReduction(engine));
    }
    const [one, other] = reductions as [Float32Array, Float32Array];
    expect(one).not.toEqual(other);
    expect(relativeDifference(one, other)).toBeLessThan(1e-5);
    const sums = one.map((value, i) => value + other[i]!);
    for (const engine of engines) {
      for (const [index, { offset, length }] of engine.layout.buckets.entries())
        engine.writeBucket(index, sums.subarray(offset, offset + length));
      engine.update({ learningRate: 0.05, step, examples: 8, microbatches: 2 });
    }
    for (const section of ['parameters', 'optimizer'] as const)
      expect(await engines[0]!.read(section)).toEqual(await engines[1]!.read(section));
  }
  for (const engine of engines) await engine.close();
});
