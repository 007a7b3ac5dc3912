// Times the dispatches of a plan on a GPU: by its own clock where it has one, else by the clock on the wall around
// enough repetitions that the way there and back counts little.

import { bufferUsage, MAP_MODE_READ } from '../../gpu/bufferUsage.ts';
import { DeviceFailedError } from '../../gpu/gpuErrors.ts';
import { PipelineCache } from '../../gpu/pipelineCache.ts';
import { packUniform } from '../../gpu/shaderSource.ts';
import type { KernelPlan } from '../kernelCall.ts';

export interface TimedPlan {
  readonly plan: KernelPlan;
  /** Size of each buffer that the plan names, but the workspace. */
  readonly bufferBytes: Readonly<Record<string, number>>;
  readonly workspace: string;
  readonly examples: number;
}

export interface TimerOptions {
  /** What one measurement should take; more repetitions fill it. */
  readonly secondsWanted: number;
  /** Measurements, of which the fastest counts. */
  readonly measurements: number;
  /** Milliseconds, for adapters without timestamps. */
  readonly now: () => number;
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: readonly [number, number];
}

const QUERY_RESOLVE = 0x0200;

export class PlanTimer {
  private readonly device: GPUDevice;
  private readonly options: TimerOptions;
  private readonly pipelines: PipelineCache;

  constructor(device: GPUDevice, options: TimerOptions) {
    this.device = device;
    this.options = options;
    this.pipelines = new PipelineCache(device);
  }

  /** Compiles a plan's pipelines, so that several plans' can be compiled at once. */
  async compile(plan: KernelPlan): Promise<void> {
    await Promise.all(plan.calls.map(({ op }) => this.pipelines.get(op)));
  }

  /** Seconds of one run of the plan. @throws DeviceFailedError where the device refuses it: that takes no time at all. */
  async time(timed: TimedPlan): Promise<number> {
    this.device.pushErrorScope('out-of-memory');
    this.device.pushErrorScope('validation');
    const timing = await Promise.allSettled([this.timeUnchecked(timed)]);
    const errors = [await this.device.popErrorScope(), await this.device.popErrorScope()];
    const [refused] = errors.filter((error) => error !== null);
    if (refused) throw new DeviceFailedError(`A plan can not be timed: ${refused.message}`);
    const [ended] = timing;
    if (ended.status === 'rejected') throw ended.reason;
    return ended.value;
  }

  private async timeUnchecked(timed: TimedPlan): Promise<number> {
    const buffers = this.buffersOf(timed);
    try {
      const dispatches = await this.dispatchesOf(timed, buffers);
      // The first run compiles and touches memory for the first time.
      await this.run(dispatches, 1);
      const once = await this.run(dispatches, 1);
      const repeats = Math.max(
        1,
        Math.min(1000, Math.round(this.options.secondsWanted / Math.max(once, 1e-6))),
      );
      let best = repeats === 1 ? once : Infinity;
      for (let i = 0; i < this.options.measurements; i += 1) {
        best = Math.min(best, (await this.run(dispatches, repeats)) / repeats);
      }
      return best;
    } finally {
      for (const buffer of buffers.values()) buffer.destroy();
    }
  }

  private buffersOf({ plan, bufferBytes, workspace, examples }: TimedPlan): Map<string, GPUBuffer> {
    const usage = bufferUsage.storage | bufferUsage.copyTarget;
    const buffers = new Map<string, GPUBuffer>();
    for (const [name, bytes] of Object.entries({ ...bufferBytes, [workspace]: plan.workspaceBytes })) {
      const size = Math.max(16, Math.ceil(bytes / 16) * 16);
      buffers.set(name, this.device.createBuffer({ label: name, size, usage }));
    }
    const op = plan.calls.map((call) => call.op).find(({ uniforms }) => uniforms.length > 0);
    if (op !== undefined) {
      const batch = packUniform(op, 'batch', { examples, step: 0, seed: 0, training: 1 });
      const uniform = this.device.createBuffer({
        size: batch.byteLength,
        usage: bufferUsage.uniform | bufferUsage.copyTarget,
      });
      this.device.queue.writeBuffer(uniform, 0, batch);
      buffers.set('batch', uniform);
    }
    return buffers;
  }

  private async dispatchesOf(
    { plan, examples }: TimedPlan,
    buffers: Map<string, GPUBuffer>,
  ): Promise<Dispatch[]> {
    return Promise.all(
      plan.calls.map(async ({ op, buffers: names, groups }) => {
        const pipeline = await this.pipelines.get(op);
        const entries = [...op.storage, ...op.uniforms].map(({ name }, binding) => {
          const buffer = buffers.get(names[name] ?? name);
          if (buffer === undefined) throw new RangeError(`${op.name}: no buffer for "${name}".`);
          return { binding, resource: { buffer } };
        });
        const layout = pipeline.getBindGroupLayout(0);
        return {
          pipeline,
          bindings: this.device.createBindGroup({ layout, entries }),
          groups: groups(examples),
        };
      }),
    );
  }

  /** Seconds of so many runs, one after another in one pass. */
  private async run(dispatches: readonly Dispatch[], repeats: number): Promise<number> {
    const { device } = this;
    const clock = device.features.has('timestamp-query')
      ? device.createQuerySet({ type: 'timestamp', count: 2 })
      : undefined;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(
      clock === undefined
        ? {}
        : { timestampWrites: { querySet: clock, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } },
    );
    for (let i = 0; i < repeats; i += 1) {
      for (const { pipeline, bindings, groups } of dispatches) {
        if (groups[0] === 0) continue;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        pass.dispatchWorkgroups(groups[0], groups[1]);
      }
    }
    pass.end();
    if (clock === undefined) {
      const start = this.options.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return (this.options.now() - start) / 1000;
    }
    const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | bufferUsage.copySource });
    const staging = device.createBuffer({ size: 16, usage: bufferUsage.mapRead | bufferUsage.copyTarget });
    encoder.resolveQuerySet(clock, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_MODE_READ);
    const [begin = 0n, end = 0n] = new BigUint64Array(staging.getMappedRange());
    const seconds = Number(end - begin) / 1e9;
    for (const buffer of [resolved, staging]) buffer.destroy();
    clock.destroy();
    return seconds;
  }
}
