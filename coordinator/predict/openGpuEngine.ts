// Nets on the GPU of the owner's machine, for predictions in this process.

import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { createTrainingEngine } from '../../shared/neural/engine/createTrainingEngine.ts';
import type { EngineSpec, TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';

/** @throws AdapterMissingError, NetTooLargeError */
export async function openGpuEngine(spec: EngineSpec): Promise<TrainingEngine> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new AdapterMissingError('There is no WebGPU adapter on this machine; predict with device "cpu".', {
      field: 'device',
    });
  }
  const engine = await onOwnDevice(adapter, (device) =>
    createTrainingEngine(spec, { device, readsBuckets: false }),
  );
  const close = engine.close.bind(engine);
  // Dawn's instance must outlive its devices.
  engine.close = () => close().finally(() => void gpu);
  return engine;
}
