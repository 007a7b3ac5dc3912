// The part of the contract suite that runs inside another runtime: plays a scenario on its WebGPU.

import { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import { createWebgpuTreeDevice } from '../../../kernels/gbdt/devices/webgpuDevice.ts';
import type { Transcript } from './playScenario.ts';
import { playScenario } from './playScenario.ts';
import type { Scenario } from './scenarios.ts';
import { specOf } from './scenarios.ts';

/** A function that plays scenarios on a device of `gpu`, compiling the kernels once. */
export async function scenarioPlayer(gpu: GPU): Promise<(scenario: Scenario) => Promise<Transcript>> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('This runtime has no WebGPU adapter.');
  const gpuDevice = await adapter.requestDevice();
  const pipelines = new PipelineCache(gpuDevice);
  return async (scenario) => {
    const tracker = new BufferTracker();
    const device = await createWebgpuTreeDevice(gpuDevice, specOf(scenario), { pipelines, tracker });
    const transcript = await playScenario(device, scenario);
    await device.close();
    if (tracker.liveBytes !== 0) throw new Error(`${tracker.liveBytes} bytes are still live after close().`);
    return transcript;
  };
}
