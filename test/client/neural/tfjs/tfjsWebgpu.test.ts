// The engine on tfjs's WebGPU backend, on a software adapter, against the same on its plain backend.

import { expect, it } from 'vitest';
import { loadTfjs, onProcessor, type TfjsRuntime } from '../../../../client/neural/tfjs/loadTfjs.ts';
import { openTfjsEngine } from '../../../../client/neural/tfjs/tfjsEngine.ts';
import { openNodeGpuAdapter } from '../../../setup/nodeGpu.ts';
import { batchOf, convnet, EXAMPLES, recurrentNet, specOf, topologyOf } from './smallNets.ts';

it('trains the same on the GPU as on the processor, and leaves no tensor behind', async () => {
  const plain = await loadTfjs(undefined);
  const models = [convnet(), recurrentNet()];
  const expected = [];
  for (const model of models) expected.push(await twoSteps(model, plain));

  const gpu = await loadTfjs(await openNodeGpuAdapter());
  expect(gpu.backend).toBe('webgpu');
  for (const [at, model] of models.entries()) {
    const { parameters, statistics, prediction, tensors } = await twoSteps(model, gpu);
    expect(worstDifference(parameters, expected[at]!.parameters)).toBeLessThan(1e-4);
    expect(worstDifference(statistics, expected[at]!.statistics)).toBeLessThan(1e-4);
    expect(worstDifference(prediction, expected[at]!.prediction)).toBeLessThan(1e-4);
    expect(tensors[1]).toBe(tensors[0]);
  }
  expect(onProcessor(gpu, (tf) => tf.add(1, 2).dataSync()[0])).toBe(3);
  expect(gpu.tf.getBackend()).toBe('webgpu');
});

it('says that the device is gone, and does so from then on', async () => {
  const adapter = await openNodeGpuAdapter();
  const request = adapter.requestDevice.bind(adapter);
  let device: GPUDevice | undefined;
  adapter.requestDevice = async (descriptor) => (device = await request(descriptor));
  const engine = await openTfjsEngine(specOf(topologyOf(convnet())), await loadTfjs(adapter));
  device!.destroy();
  await engine.lost;
  await expect(engine.read('parameters')).rejects.toMatchObject({ code: 'DEVICE_LOST' });
  await engine.close();
});

async function twoSteps(model: Parameters<typeof topologyOf>[0], runtime: TfjsRuntime) {
  const engine = await openTfjsEngine(specOf(topologyOf(model)), runtime);
  // Both start from the weights that the plain backend drew, by the seeds of the model's initializers.
  const tensors: number[] = [];
  for (let step = 0; step < 2; step += 1) {
    await engine.accumulate(batchOf(model, step), { isLast: true });
    engine.update({ learningRate: 0.1, step, examples: EXAMPLES, microbatches: 1 });
    tensors.push(runtime.tf.memory().numTensors);
  }
  const prediction = await engine.predict(batchOf(model, 0).inputs, EXAMPLES);
  const [parameters, statistics] = [await engine.read('parameters'), await engine.read('statistics')];
  await engine.close();
  return { parameters, statistics, prediction, tensors };
}

function worstDifference(ours: Float32Array, theirs: Float32Array): number {
  expect(ours).toHaveLength(theirs.length);
  return ours.reduce((worst, value, at) => Math.max(worst, Math.abs(value - theirs[at]!)), 0);
}
