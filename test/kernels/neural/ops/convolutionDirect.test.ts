// Convolutions by their definition on a GPU, and what the processor computes in their place, against the plainest loops.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { GpuRunner } from '../../../../kernels/gpu/gpuRunner.ts';
import { directConvolution } from '../../../../kernels/neural/ops/convolutionDirect.ts';
import { openNodeGpuDevice } from '../../../setup/nodeGpu.ts';
import { checkConvolution } from '../product/checkConvolution.ts';
import { convolutionCases, groupedCases, shapeOf } from '../product/convolutionCases.ts';

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

const cases = [
  ...convolutionCases,
  ...groupedCases,
  {
    title: 'more positions and filters than the processor takes at once',
    shape: shapeOf({ size: [14, 13], channels: [2, 67], kernel: [3, 3], padding: [1, 1, 1, 1] }),
    examples: 3,
  },
  {
    title: 'a kernel that lies beside the image at some places',
    shape: shapeOf({ size: [2, 3], channels: [3, 5], kernel: [2, 2], padding: [3, 2, 4, 2] }),
    examples: 2,
  },
];

it.each(cases.map((each) => [each.title, each] as const))(
  'is the convolution of the definition, forward and backward, for %s',
  async (_, each) => {
    const differences = await checkConvolution(runner, each, directConvolution);
    for (const [name, difference] of Object.entries(differences)) {
      // Sums are f32, in pieces on the processor.
      expect(difference, name).toBeLessThan(5e-6);
    }
  },
);
