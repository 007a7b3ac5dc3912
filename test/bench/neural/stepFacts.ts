// What one training step asks of a GPU: dispatches, what they compute and touch, memory planned, and the least time that an
// adapter with these peaks could take for it.

import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import { adapterClass, createTileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { compileNet } from '../../../shared/neural/compile/compileNet.ts';
import { limitsOfDevice } from '../../../shared/neural/compile/deviceLimits.ts';
import { memoryReport } from '../../../shared/neural/engine/memoryReport.ts';
import type { EngineSpec, MemoryReport } from '../../../shared/neural/trainingEngine.ts';
import type { AdapterPeaks } from './adapterPeaks.ts';

export interface StepFacts {
  readonly dispatches: number;
  readonly flop: number;
  /** Read and written, if nothing stayed in a cache. */
  readonly bytes: number;
  readonly memory: MemoryReport;
  /** The larger of computing and touching, and what the dispatches cost besides. */
  readonly floorSeconds: number;
}

/** Submissions to the device's queue while `work` goes on. */
export async function countSubmissions(device: GPUDevice, work: () => Promise<unknown>): Promise<number> {
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let submissions = 0;
  queue.submit = (commands) => {
    submissions += 1;
    return submit(commands);
  };
  try {
    await work();
    return submissions;
  } finally {
    queue.submit = submit;
  }
}

export function stepFacts(device: GPUDevice, spec: EngineSpec, peaks: AdapterPeaks): StepFacts {
  const adapter = adapterClass(device.adapterInfo);
  const convolutions = createProductConvolutions(createTileChooser(adapter));
  const net = compileNet(spec, { limits: limitsOfDevice(device), adapter, convolutions });
  const training = net.training.flatMap((step) => ('stop' in step ? [] : [step]));
  const calls = [...training, ...net.update].filter(({ groups }) => groups(spec.microbatchSize)[0] > 0);
  const costs = calls.map(({ cost }) => cost(spec.microbatchSize));
  const flop = costs.reduce((sum, cost) => sum + cost.flop, 0);
  const bytes = costs.reduce((sum, cost) => sum + cost.bytes, 0);
  return {
    dispatches: calls.length,
    flop,
    bytes,
    memory: memoryReport(net.program, 0),
    floorSeconds:
      Math.max(flop / peaks.flopPerSecond, bytes / peaks.bytesPerSecond) +
      calls.length * peaks.dispatchSeconds,
  };
}
