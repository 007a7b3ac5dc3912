// What an owner is told when a net is more than a device takes.

import { beforeAll, expect, it } from 'vitest';
import { createNeuralEngine } from '../../../client/runtime/createNeuralEngine.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import { openNodeGpuAdapter, prepareSoftwareDriver } from '../../setup/nodeGpu.ts';

/** A software adapter with no more than WebGPU's default limits: 128 MiB a binding. */
async function smallAdapter(): Promise<GPUAdapter> {
  const adapter = await openNodeGpuAdapter();
  const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
  return {
    features: adapter.features,
    info: adapter.info,
    limits,
    requestDevice: (wanted: GPUDeviceDescriptor) => adapter.requestDevice(wanted),
  } as unknown as GPUAdapter;
}

function specOf(layers: readonly object[], microbatchSize: number): NeuralSpec {
  return {
    engine: 'compiled',
    topology: { class_name: 'Sequential', config: { name: 'large', layers } },
    loss: { name: 'meanSquaredError', fromLogits: false },
    metrics: [],
    optimizer: { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    microbatchSize,
    bucketBytes: 2 ** 20,
    seed: 1,
    syncBatchNorm: false,
  } as unknown as NeuralSpec;
}

const layer = (className: string, config: object): object => ({ class_name: className, config });
// 256 × 256 × 16 floats are 4 MiB an example.
const wide = [
  layer('Conv2D', {
    name: 'conv',
    filters: 16,
    kernel_size: [3, 3],
    padding: 'same',
    batch_input_shape: [null, 256, 256, 1],
  }),
  layer('GlobalAveragePooling2D', { name: 'pool' }),
  layer('Dense', { name: 'out', units: 1 }),
];

beforeAll(() => prepareSoftwareDriver());

it('names the layer, what it needs, and the largest microbatch that fits, which then does', async () => {
  await expect(createNeuralEngine(specOf(wide, 45), await smallAdapter())).rejects.toMatchObject({
    code: 'NET_TOO_LARGE',
    message: expect.stringMatching(
      /^A microbatch of 45 examples does not fit on this device: Layer "conv" needs 180 MiB .* the device binds 128 MiB\. The largest that does has 32: set microbatchSize to 32\.$/,
    ),
  });
  const engine = await createNeuralEngine(specOf(wide, 32), await smallAdapter());
  expect(engine.memory.activations).toBeGreaterThan(2 ** 27);
  await engine.close();
});

it('suggests nothing where the weights alone are too large', async () => {
  const dense = layer('Dense', { name: 'out', units: 6000, batch_input_shape: [null, 6000] });
  await expect(createNeuralEngine(specOf([dense], 8), await smallAdapter())).rejects.toMatchObject({
    code: 'NET_TOO_LARGE',
    message: expect.not.stringContaining('set microbatchSize') as string,
  });
});
