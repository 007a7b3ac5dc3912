// Timestamps of a program's dispatches. Those of the last runs are kept on the device until somebody asks.

import type { BufferTracker } from '../gpu/bufferTracker.ts';
import { bufferUsage } from '../gpu/bufferUsage.ts';
import type { GpuGuard } from '../gpu/gpuGuard.ts';
import { mappedRead } from '../gpu/mappedRead.ts';
import type { KernelCall } from './kernelCall.ts';
import type { CallTiming } from './programExecutor.ts';

/** Runs whose timings are kept. */
const MOST_RUNS = 32;
/** WebGPU's largest query set. */
const MOST_QUERIES = 4096;

interface TimedCall {
  readonly call: KernelCall;
  readonly examples: number;
}

/** Timestamps of one run. */
export interface TimedRun {
  writesOf(call: number): GPUComputePassTimestampWrites;
  /** Records what brings the timestamps where they can be read. */
  end(encoder: GPUCommandEncoder, calls: readonly TimedCall[]): void;
}

export class RunTimer {
  private readonly device: GPUDevice;
  private readonly tracker: BufferTracker;
  private runs: { readonly calls: readonly TimedCall[]; readonly staging: GPUBuffer }[] = [];

  constructor(device: GPUDevice, tracker: BufferTracker) {
    this.device = device;
    this.tracker = tracker;
  }

  /** Undefined where so many dispatches can't be timed. */
  begin(calls: number): TimedRun | undefined {
    const count = 2 * calls;
    if (count === 0 || count > MOST_QUERIES) return undefined;
    const querySet = this.device.createQuerySet({ type: 'timestamp', count });
    return {
      writesOf: (i) => ({ querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }),
      end: (encoder, timed) => {
        const size = 8 * count;
        const resolved = this.tracker.create(this.device, {
          label: 'timestamps',
          size,
          usage: bufferUsage.queryResolve | bufferUsage.copySource,
        });
        const staging = this.tracker.create(this.device, {
          label: 'read timestamps',
          size,
          usage: bufferUsage.mapRead | bufferUsage.copyTarget,
        });
        encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
        this.runs.push({ calls: timed, staging });
        // Freed once the commands are through; destroying before submission would fail them.
        queueMicrotask(() => {
          this.tracker.destroy(resolved);
          querySet.destroy();
        });
        const dropped = this.runs.length > MOST_RUNS ? this.runs.shift() : undefined;
        if (dropped !== undefined) this.tracker.destroy(dropped.staging);
      },
    };
  }

  async take(guard: GpuGuard): Promise<CallTiming[]> {
    const { runs } = this;
    this.runs = [];
    const timings: CallTiming[] = [];
    for (const { calls, staging } of runs) {
      const times = new BigUint64Array(await mappedRead(guard, staging, staging.size));
      this.tracker.destroy(staging);
      calls.forEach((timed, i) => {
        const startNs = Number(times[2 * i] ?? 0n);
        timings.push({ ...timed, startNs, endNs: Number(times[2 * i + 1] ?? 0n) });
      });
    }
    return timings;
  }

  close(): void {
    for (const { staging } of this.runs) this.tracker.destroy(staging);
    this.runs = [];
  }
}
