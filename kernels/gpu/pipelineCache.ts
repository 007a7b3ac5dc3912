// Compiled pipelines of one GPUDevice, each shader once: a driver takes tens to hundreds of milliseconds to compile a
// kernel. Share one between all that computes on a GPUDevice. Ops that are made for shapes are equal when their text is.

import type { Op } from './op.ts';
import { shaderSource } from './shaderSource.ts';

export class PipelineCache {
  readonly device: GPUDevice;
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Rejects with WebGPU's own error when the shader doesn't compile. */
  get(op: Op): Promise<GPUComputePipeline> {
    const code = shaderSource(op);
    const known = this.pipelines.get(code);
    if (known !== undefined) return known;
    const module = this.device.createShaderModule({ label: op.name, code });
    const compute = { module, entryPoint: 'main' };
    const pipeline = this.device.createComputePipelineAsync({ label: op.name, layout: 'auto', compute });
    this.pipelines.set(code, pipeline);
    return pipeline;
  }
}
