// The product kernels against convolutions by their definition, for each tile at shapes that are awkward for it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GpuRunner } from '../../../../kernels/gpu/gpuRunner.ts';
import { createProductConvolutions } from '../../../../kernels/neural/product/productConvolutions.ts';
import type { ProductTile } from '../../../../kernels/neural/product/productTile.ts';
import { nameOf } from '../../../../kernels/neural/product/productTile.ts';
import { sampled } from '../../../setup/longRun.ts';
import { openNodeGpuDevice } from '../../../setup/nodeGpu.ts';
import { checkConvolution } from './checkConvolution.ts';
import { convolutionCases } from './convolutionCases.ts';
import { inRegisters } from './inRegisters.ts';

let gpu: GPUDevice;
let runner: GpuRunner;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
  runner = new GpuRunner(gpu);
});
afterAll(() => {
  runner.close();
  gpu.destroy();
  expect(runner.tracker.liveBytes).toBe(0);
});

/** Small ones: a software adapter compiles a kernel with barriers for seconds, and longer the more each thread sums. */
const doubleBuffered: ProductTile = {
  memory: 'workgroup',
  threadRows: 4,
  threadColumns: 4,
  rows: 4,
  columns: 4,
  depth: 8,
  left: 'inner',
  buffers: 2,
  neighbours: 'columns',
};
const singleBuffered: ProductTile = {
  memory: 'workgroup',
  threadRows: 4,
  threadColumns: 8,
  rows: 4,
  columns: 4,
  depth: 4,
  left: 'inner',
  buffers: 1,
  neighbours: 'rows',
};
const turned: ProductTile = { ...doubleBuffered, left: 'rows' };
const staged = [doubleBuffered, singleBuffered, turned] as const;

/** Each shape by both ways through memory; the ones through workgroup memory by turns, whole and in parts. */
const choices = sampled(convolutionCases, 2).flatMap((each, i) => [
  { each, tile: staged[i % 3]!, splits: i % 2 === 0 ? 1 : 3 },
  { each, tile: inRegisters, splits: 1 },
]);

describe('a convolution by product kernels', () => {
  it.each(choices.map((choice) => [choice.each.title, nameOf(choice.tile), choice.splits, choice] as const))(
    'agrees with its definition, forward and backward, for %s, by tiles of %s in %d parts',
    async (_title, _tile, _splits, { each, tile, splits }) => {
      const differences = await checkConvolution(
        runner,
        each,
        createProductConvolutions({ choose: () => ({ tile, splits }) }),
      );
      // Rounding of f32, in units of the sum of the terms' sizes.
      for (const [name, difference] of Object.entries(differences)) {
        expect(difference, name).toBeLessThan(3e-6);
      }
    },
  );

  it('refuses more than one group', () => {
    const kernels = createProductConvolutions({ choose: () => ({ tile: inRegisters, splits: 1 }) });
    const shape = { ...convolutionCases[0]!.shape, groups: 2 };
    const context = { shape, maxExamples: 1, layer: 'conv', workspace: 'workspace' };
    const buffers = { input: 'input', kernel: 'kernel', output: 'output' };
    expect(() => kernels.forward(context, buffers, 'none')).toThrow(/One group was expected, found 2/);
  });
});
