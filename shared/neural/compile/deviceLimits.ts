// What a device takes, and whether a program is within it. Nothing runs that would be refused half-way.

import type { KernelProgram } from '../../../kernels/neural/program.ts';
import { NetTooLargeError } from '../netErrors.ts';

export interface DeviceLimits {
  /** Most bytes of one buffer. */
  readonly maxBufferBytes: number;
  /** Most bytes of a buffer that one kernel sees. */
  readonly maxBindingBytes: number;
  readonly maxBindings: number;
  /** Most workgroups along a dimension. */
  readonly maxWorkgroups: number;
}

/** Of a GPUDevice. */
export function limitsOfDevice({ limits }: { readonly limits: GPUSupportedLimits }): DeviceLimits {
  return {
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
  };
}

/** Of plain memory: an ArrayBuffer holds up to 2 GiB everywhere. */
export const processorLimits: DeviceLimits = {
  maxBufferBytes: 2 ** 31 - 1,
  maxBindingBytes: 2 ** 31 - 1,
  maxBindings: Infinity,
  maxWorkgroups: Infinity,
};

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** @throws NetTooLargeError naming the layer, what it needs and what the device takes. */
export function checkLimits(
  { memory, calls }: KernelProgram,
  limits: DeviceLimits,
  microbatchSize: number,
): void {
  for (const { name, bytes } of memory.allocations) {
    if (bytes <= limits.maxBufferBytes) continue;
    if (name.startsWith('shared:')) continue; // A value of a layer: found below, with the layer's name.
    throw new NetTooLargeError(
      `The net's ${name} need ${megabytes(bytes)} in one buffer; the device takes ${megabytes(limits.maxBufferBytes)}.`,
    );
  }
  const most = Math.min(limits.maxBindingBytes, limits.maxBufferBytes);
  for (const { op, buffers, groups, layer } of calls) {
    if (op.storage.length > limits.maxBindings) {
      throw new NetTooLargeError(
        `Layer "${layer}": ${op.name} binds ${op.storage.length} buffers; the device takes ${limits.maxBindings}.`,
        { field: layer },
      );
    }
    for (const name of Object.values(buffers)) {
      const view = memory.views[name];
      if (view === undefined)
        throw new RangeError(`${op.name} of "${layer}" uses "${name}", which is nowhere.`);
      if (view.bytes <= most) continue;
      throw new NetTooLargeError(
        `Layer "${layer}" needs ${megabytes(view.bytes)} in one buffer for a microbatch of ${microbatchSize}; the device binds ${megabytes(most)}.`,
        { field: layer },
      );
    }
    const [width, height] = groups(microbatchSize);
    if (Math.max(width, height) <= limits.maxWorkgroups) continue;
    throw new NetTooLargeError(
      `Layer "${layer}": ${op.name} needs ${width}×${height} workgroups; the device takes ${limits.maxWorkgroups} a dimension.`,
      { field: layer },
    );
  }
}
