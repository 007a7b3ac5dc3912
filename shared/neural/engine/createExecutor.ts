// What a program is compiled for and run by on a device: WebGPU, or the processor.

import type { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import type { PipelineCache } from '../../../kernels/gpu/pipelineCache.ts';
import type { ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import { createCpuExecutor, createWasmExecutor } from '../../../kernels/neural/cpuExecutor.ts';
import { directConvolution } from '../../../kernels/neural/ops/convolutionDirect.ts';
import { adapterClass, createTileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import type { KernelProgram } from '../../../kernels/neural/program.ts';
import type { ProgramExecutor } from '../../../kernels/neural/programExecutor.ts';
import { createWebgpuExecutor } from '../../../kernels/neural/webgpuExecutor.ts';
import { hasSimd } from '../../../kernels/wasm/compiledModule.ts';
import type { ThreadChoice } from '../../../kernels/wasm/wasmRuntime.ts';
import type { CompileOptions } from '../compile/compileNet.ts';
import { limitsOfDevice, processorLimits } from '../compile/deviceLimits.ts';

export type EngineDevice = GPUDevice | 'cpu';

export interface ExecutorOptions {
  readonly tracker?: BufferTracker;
  readonly pipelines?: PipelineCache;
  readonly clock?: () => number;
  /** That the processor computes with; one when left out. */
  readonly threads?: ThreadChoice;
}

/** @param convolutions kernels of convolutions and dense layers; the device's own choice when left out. */
export function compileOptionsOf(device: EngineDevice, convolutions?: ConvolutionKernels): CompileOptions {
  if (device === 'cpu') {
    return { limits: processorLimits, adapter: 'software', convolutions: convolutions ?? directConvolution };
  }
  const adapter = adapterClass(device.adapterInfo);
  return {
    limits: limitsOfDevice(device),
    adapter,
    convolutions: convolutions ?? createProductConvolutions(createTileChooser(adapter)),
  };
}

/** @throws DeviceFailedError when its memory is not there, DeviceLostError when the device is gone. */
export async function createExecutor(
  device: EngineDevice,
  program: KernelProgram,
  { tracker, pipelines, clock, threads }: ExecutorOptions,
): Promise<ProgramExecutor> {
  if (device === 'cpu') {
    const timed = { ...(clock && { now: clock }) };
    return hasSimd() ? createWasmExecutor(program, timed, threads) : createCpuExecutor(program, timed);
  }
  return createWebgpuExecutor(device, program, {
    ...(tracker && { tracker }),
    ...(pipelines && { pipelines }),
    timed: clock !== undefined,
  });
}
