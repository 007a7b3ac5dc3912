// Asks the platform for a GPU, decides what to compute on, and makes tree devices of that kind. Each tree device gets
// a GPUDevice of its own, so that a lost one is replaced by simply making the next.

import type { DeviceWish } from '../../shared/protocol/runtimes.ts';
import type { DeviceSpec, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import type { DeviceReport } from '../../shared/protocol/control.ts';
import { rememberedOver } from '../blobs/blobCache.ts';
import { oneThread, type ThreadChoice } from '../../kernels/wasm/wasmRuntime.ts';
import { chooseDevice, processorName, type AdapterFinding } from './deviceChoice.ts';
import { createNeuralEngine } from './createNeuralEngine.ts';
import type { TuningPlace } from './tunedConvolutions.ts';
import { findAdapter, type OpenGpu } from '../thread/findAdapter.ts';
import { openCpuTreeDevice } from '../../kernels/gbdt/devices/openCpuDevice.ts';
import { createWebgpuTreeDevice } from '../../kernels/gbdt/devices/webgpuDevice.ts';
import { withSplitSearch } from '../../kernels/gbdt/wasm/withSplitSearch.ts';
import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';

export interface AcquiredDevice {
  readonly report: DeviceReport;
  /** Why the last device is the processor though a GPU was found at first. */
  readonly fallback?: string | undefined;
  /** A device for one run. When the GPU can't be had any more, the run goes on with the cpu device: same trees. */
  create(spec: DeviceSpec): Promise<TreeDevice>;
  /** The same for a neural net. */
  createEngine(spec: NeuralSpec): Promise<TrainingEngine>;
}

/**
 * Looks for an adapter (unless only the cpu device is wished for) and settles what this worker computes on.
 * @param choice of threads, where that is the processor.
 */
export async function acquireDevice(
  wish: DeviceWish,
  access: OpenGpu,
  place: TuningPlace,
  choice: ThreadChoice = oneThread,
): Promise<AcquiredDevice> {
  const threads = toldOnce(choice, place.log);
  const tuning = { ...place, cache: rememberedOver(place.cache) };
  const found = wish === 'cpu' ? { missing: 'not asked for' } : await findAdapter(access);
  const finding: AdapterFinding = 'missing' in found ? found : { facts: found.adapter.info };
  const count = threads.startThread === undefined ? 1 : threads.threads;
  const report = chooseDevice(wish, finding, processorName(count));
  let fallback: string | undefined;
  /** An adapter serves one device only, hence a fresh one each time; undefined for the processor. */
  const adapter = async (): Promise<GPUAdapter | undefined> => {
    if (report.kind === 'cpu') return undefined;
    const fresh = await findAdapter(access);
    if ('adapter' in fresh) {
      fallback = undefined;
      return fresh.adapter;
    }
    fallback = `The GPU is gone (${fresh.missing}); work goes on with the processor.`;
    tuning.log(fallback);
    return undefined;
  };
  return {
    report,
    get fallback() {
      return fallback;
    },
    create: async (spec) => createTreeDevice(spec, await adapter(), threads),
    createEngine: async (spec) => createNeuralEngine(spec, await adapter(), tuning),
  };
}

/** Says once in a worker's life that its threads are there, or why they are not. */
function toldOnce(choice: ThreadChoice, log: (line: string) => void): ThreadChoice {
  let isTold = false;
  const tell = (line: string): void => {
    if (!isTold) log(line);
    isTold = true;
  };
  return {
    ...choice,
    onStarted: () => tell(`Computing on ${choice.threads} threads of the processor.`),
    onMissing: (reason) => tell(`Computing goes on with one thread of the processor: ${reason}`),
  };
}

/** @param adapter a fresh adapter for the webgpu device; none for the cpu device. */
async function createTreeDevice(
  spec: DeviceSpec,
  adapter: GPUAdapter | undefined,
  threads: ThreadChoice,
): Promise<TreeDevice> {
  if (!adapter) return openCpuTreeDevice(spec, threads);
  return onOwnDevice(adapter, async (device) =>
    withSplitSearch(await createWebgpuTreeDevice(device, spec), threads),
  );
}
