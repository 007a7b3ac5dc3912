// Compiled pipelines of one GPUDevice, each op once. Share one between the tree devices of a GPUDevice: a driver takes
// tens to hundreds of milliseconds to compile a kernel.

import type { Op } from './op.ts';
import { shaderSource } from './shaderSource.ts';

export class PipelineCache {
  readonly device: GPUDevice;
  private readonly pipelines = new Map<Op, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Rejects with WebGPU's own error when the shader doesn't compile. */
  get(op: Op): Promise<GPUComputePipeline> {
    const known = this.pipelines.get(op);
    if (known !== undefined) return known;
    const module = this.device.createShaderModule({ label: op.name, code: shaderSource(op) });
    const compute = { module, entryPoint: 'main' };
    const pipeline = this.device.createComputePipelineAsync({ label: op.name, layout: 'auto', compute });
    this.pipelines.set(op, pipeline);
    return pipeline;
  }
}
