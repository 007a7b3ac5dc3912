// Makes the compiled training engine for a net, on a GPU or on the processor.

import type { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import type { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import type { ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import type { ThreadChoice } from '../../../kernels/wasm/wasmRuntime.ts';
import { compileNet } from '../compile/compileNet.ts';
import type { EngineSpec, TrainingEngine } from '../trainingEngine.ts';
import { CompiledEngine } from './compiledEngine.ts';
import { compileOptionsOf, createExecutor, type EngineDevice } from './createExecutor.ts';

export interface TrainingEngineOptions {
  /** A device that the caller requested and goes on to own: close() doesn't destroy it. */
  readonly device: EngineDevice;
  /** Counts this engine's buffers; give one to watch memory from outside. */
  readonly tracker?: BufferTracker;
  /** Compiled kernels to share with whatever else computes on the same GPUDevice. */
  readonly pipelines?: PipelineCache;
  /** Kernels of convolutions and dense layers; the device's own choice when left out. */
  readonly convolutions?: ConvolutionKernels;
  /**
   * Whether buckets are fetched while the backward pass of a step's last microbatch goes on: memory is then held ready.
   * Without, `readBucket` fetches when it is called. Default true.
   */
  readonly readsBuckets?: boolean;
  /** Given, every dispatch is timed: with the GPU's timestamps, or with this monotonic clock in milliseconds. */
  readonly clock?: () => number;
  /** That the processor computes with; one when left out. */
  readonly threads?: ThreadChoice;
}

/**
 * @throws NetInvalidError when the graph contradicts itself, NetTooLargeError when a buffer is more than the device binds,
 * DeviceFailedError when its memory is not there, DeviceLostError when the device is gone.
 */
export async function createTrainingEngine(
  spec: EngineSpec,
  options: TrainingEngineOptions,
): Promise<TrainingEngine> {
  const { device, convolutions, readsBuckets = true } = options;
  const net = compileNet(spec, compileOptionsOf(device, convolutions));
  const executor = await createExecutor(device, net.program, options);
  return new CompiledEngine(spec, net, executor, readsBuckets);
}
