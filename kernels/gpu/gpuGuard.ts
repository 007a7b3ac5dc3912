// Turns what WebGPU reports beside the calls (error scopes, loss of the device) into rejections of the calls that were
// meant.

import { DeviceFailedError, DeviceLostError } from './gpuErrors.ts';

export class GpuGuard {
  readonly device: GPUDevice;
  /** Why the device was lost; undefined while it is there. */
  lostReason: string | undefined;
  /** Results of error scopes that were not looked at yet. */
  private checks: Promise<GPUError | null>[] = [];

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then((info) => {
      this.lostReason = info.message === '' ? info.reason : info.message;
    });
  }

  /** Runs synchronous WebGPU calls; what goes wrong in them rejects the next `settled`. */
  run<T>(work: () => T): T {
    const scopes = ['validation', 'out-of-memory', 'internal'] as const;
    for (const scope of scopes) this.device.pushErrorScope(scope);
    try {
      return work();
    } finally {
      for (const _ of scopes) {
        const check = this.device.popErrorScope();
        // It rejects when the device is lost. The next read looks at it; until then it must not count as unhandled.
        check.catch(() => {});
        this.checks.push(check);
      }
    }
  }

  /** @throws DeviceLostError, DeviceFailedError when a guarded call since the last check went wrong. */
  async settled(): Promise<void> {
    const checks = this.checks;
    this.checks = [];
    const results = await Promise.allSettled(checks);
    if (this.lostReason !== undefined) throw this.failure('waiting for the GPU', undefined);
    for (const result of results) {
      if (result.status === 'rejected') throw this.failure('waiting for the GPU', result.reason);
      if (result.value !== null) throw this.failure('running kernels', result.value);
    }
  }

  failure(doing: string, cause: unknown): Error {
    if (cause instanceof DeviceLostError || cause instanceof DeviceFailedError) return cause;
    if (this.lostReason !== undefined) {
      return new DeviceLostError(
        `The GPU device was lost while ${doing}: ${this.lostReason}.`,
        {},
        { cause },
      );
    }
    const why = cause instanceof Object && 'message' in cause ? String(cause.message) : String(cause);
    return new DeviceFailedError(`WebGPU failed while ${doing}: ${why}`, {}, { cause });
  }
}
