// Runs a program on a GPUDevice that somebody else owns. Pipelines and bind groups are made once; a run is one command
// buffer in one submission, and nothing is read back but what is asked for.

import { BufferTracker } from '../gpu/bufferTracker.ts';
import { bufferUsage } from '../gpu/bufferUsage.ts';
import { GpuGuard } from '../gpu/gpuGuard.ts';
import { mappedRead } from '../gpu/mappedRead.ts';
import type { WordArray } from '../gpu/op.ts';
import { PipelineCache } from '../gpu/pipelineCache.ts';
import { packUniform } from '../gpu/shaderSource.ts';
import type { KernelCall } from './kernelCall.ts';
import type { BufferView, KernelProgram } from './program.ts';
import type { CallTiming, ProgramExecutor, Readback } from './programExecutor.ts';
import { RunTimer } from './runTimer.ts';

export interface WebgpuExecutorOptions {
  /** Counts this program's buffers; give one to watch memory from outside. */
  readonly tracker?: BufferTracker;
  /** Compiled kernels to share with whatever else computes on the same GPUDevice. */
  readonly pipelines?: PipelineCache;
  /** Time every dispatch, if the device has timestamps. Each is then a pass of its own, which costs a little. */
  readonly timed?: boolean;
}

/**
 * Runs that may be on their way to the GPU: two steps of a pass and an update, so that one is ready while another is
 * computed; few enough that memory stays bounded.
 */
const MOST_IN_FLIGHT = 4;

interface PreparedCall {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
}

class WebgpuExecutor implements ProgramExecutor {
  readonly kind = 'webgpu';
  readonly lost: Promise<string>;
  private readonly device: GPUDevice;
  private readonly guard: GpuGuard;
  private readonly tracker: BufferTracker;
  private readonly pipelines: PipelineCache;
  private readonly program: KernelProgram;
  private readonly memory = new Map<string, GPUBuffer>();
  private readonly uniforms = new Map<string, GPUBuffer>();
  private readonly prepared = new Map<KernelCall, PreparedCall>();
  private readonly timer: RunTimer | undefined;
  private inFlight: Promise<void>[] = [];
  /** What went wrong first: after it, no number of this program can be trusted. */
  private broken: { readonly error: unknown } | undefined;
  private closed = false;

  constructor(device: GPUDevice, program: KernelProgram, options: WebgpuExecutorOptions) {
    this.device = device;
    this.program = program;
    this.tracker = options.tracker ?? new BufferTracker();
    this.pipelines = options.pipelines ?? new PipelineCache(device);
    this.guard = new GpuGuard(device);
    this.lost = device.lost.then(({ message, reason }) => (message === '' ? reason : message));
    if (options.timed === true && device.features.has('timestamp-query')) {
      this.timer = new RunTimer(device, this.tracker);
    }
  }

  /** Takes memory and compiles. @throws DeviceFailedError when it doesn't fit or a shader doesn't compile. */
  async open(): Promise<void> {
    const { memory, uniforms, calls } = this.program;
    this.guard.run(() => {
      const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
      for (const { name, bytes } of memory.allocations) {
        this.memory.set(
          name,
          this.tracker.create(this.device, { label: name, size: Math.max(4, bytes), usage }),
        );
      }
      for (const { name, fields } of uniforms) {
        const size = 16 * Math.ceil(Object.keys(fields).length / 4);
        const buffer = { label: name, size, usage: bufferUsage.uniform | bufferUsage.copyTarget };
        this.uniforms.set(name, this.tracker.create(this.device, buffer));
      }
    });
    await this.guard.settled();
    this.guard.run(() => {
      for (const [name, values] of Object.entries(memory.contents)) this.write(name, values);
    });
    await this.prepare(calls);
  }

  async prepare(calls: readonly KernelCall[]): Promise<void> {
    try {
      await Promise.all(
        calls.map(async (call) => {
          const pipeline = await this.pipelines.get(call.op);
          this.prepared.set(call, { pipeline, bindings: this.bind(call, pipeline) });
        }),
      );
    } catch (cause) {
      throw this.guard.failure('compiling kernels', cause);
    }
    await this.guard.settled();
  }

  get liveBytes(): number {
    return this.tracker.liveBytes;
  }

  get peakBytes(): number {
    return this.tracker.peakBytes;
  }

  write(name: string, values: WordArray, offset = 0): void {
    const { buffer, view } = this.place(name);
    if (4 * (offset + values.length) > view.bytes) {
      throw new RangeError(`"${name}" holds ${view.bytes / 4} values, not ${offset + values.length}.`);
    }
    if (values.length > 0) this.device.queue.writeBuffer(buffer, view.offsetBytes + 4 * offset, values);
  }

  setUniform(name: string, values: Readonly<Record<string, number>>): void {
    const binding = this.program.uniforms.find((uniform) => uniform.name === name);
    const buffer = this.uniforms.get(name);
    if (binding === undefined || buffer === undefined) throw new RangeError(`No uniform "${name}".`);
    this.device.queue.writeBuffer(buffer, 0, packUniform({ name, uniforms: [binding] }, name, values));
  }

  clear(views: readonly string[]): void {
    this.submit((encoder) => {
      for (const name of views) {
        const { buffer, view } = this.place(name);
        encoder.clearBuffer(buffer, view.offsetBytes, view.bytes);
      }
    });
  }

  run(calls: readonly KernelCall[], examples: number): void {
    this.submit((encoder) => {
      const wanted = calls.flatMap((call) => {
        const groups = call.groups(examples);
        return groups[0] === 0 || groups[1] === 0 ? [] : [{ call, groups }];
      });
      const timed = this.timer?.begin(wanted.length);
      let pass = timed === undefined ? encoder.beginComputePass() : undefined;
      for (const [i, { call, groups }] of wanted.entries()) {
        pass ??= encoder.beginComputePass({ timestampWrites: timed!.writesOf(i) });
        const { pipeline, bindings } = this.preparedOf(call);
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        pass.dispatchWorkgroups(groups[0], groups[1]);
        if (timed === undefined) continue;
        pass.end();
        pass = undefined;
      }
      pass?.end();
      timed?.end(
        encoder,
        wanted.map(({ call }) => ({ call, examples })),
      );
    });
    const settled = Promise.all([this.device.queue.onSubmittedWorkDone(), this.guard.settled()]);
    const done = settled.then(() => {});
    done.catch((error: unknown) => {
      this.broken ??= { error };
    });
    this.inFlight.push(done);
  }

  async read(name: string, offset: number, length: number): Promise<Float32Array<ArrayBuffer>> {
    const staging = this.guard.run(() => this.stagingOf(name, 4 * length));
    try {
      return await this.copyOut(staging, name, offset, length);
    } finally {
      this.tracker.destroy(staging);
    }
  }

  createReadback(name: string, offset: number, length: number): Readback {
    const staging = this.guard.run(() => this.stagingOf(name, 4 * length));
    let isTaken = false;
    return {
      take: async () => {
        // The last values have not been fetched yet: these go through memory of their own.
        if (isTaken) return this.read(name, offset, length);
        isTaken = true;
        try {
          const values = await this.copyOut(staging, name, offset, length);
          if (!this.closed) staging.unmap();
          return values;
        } finally {
          isTaken = false;
        }
      },
    };
  }

  async ready(): Promise<void> {
    while (this.inFlight.length > MOST_IN_FLIGHT) await this.inFlight.shift();
    if (this.broken !== undefined) throw this.broken.error;
    if (this.guard.lostReason !== undefined) throw this.guard.failure('training', undefined);
  }

  async takeTimings(): Promise<readonly CallTiming[]> {
    return (await this.timer?.take(this.guard)) ?? [];
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer?.close();
    this.tracker.destroyAll();
    this.memory.clear();
    this.prepared.clear();
    await Promise.allSettled(this.inFlight);
  }

  private submit(record: (encoder: GPUCommandEncoder) => void): void {
    this.guard.run(() => {
      const encoder = this.device.createCommandEncoder();
      record(encoder);
      this.device.queue.submit([encoder.finish()]);
    });
  }

  private async copyOut(
    staging: GPUBuffer,
    name: string,
    offset: number,
    length: number,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { buffer, view } = this.place(name);
    const before = [...this.inFlight];
    this.submit((encoder) => {
      if (length > 0) {
        encoder.copyBufferToBuffer(buffer, view.offsetBytes + 4 * offset, staging, 0, 4 * length);
      }
    });
    const values = new Float32Array(await mappedRead(this.guard, staging, 4 * length));
    // Runs before the copy are done; what they had to say must be heard before their numbers are used.
    await Promise.all(before);
    if (this.broken !== undefined) throw this.broken.error;
    return values;
  }

  private stagingOf(name: string, bytes: number): GPUBuffer {
    return this.tracker.create(this.device, {
      label: `read ${name}`,
      size: Math.max(4, bytes),
      usage: bufferUsage.mapRead | bufferUsage.copyTarget,
    });
  }

  private place(name: string): { buffer: GPUBuffer; view: BufferView } {
    const view = this.program.memory.views[name];
    const buffer = view === undefined ? undefined : this.memory.get(view.allocation);
    if (view === undefined || buffer === undefined)
      throw new RangeError(`The program has no buffer "${name}".`);
    return { buffer, view };
  }

  private bind({ op, buffers }: KernelCall, pipeline: GPUComputePipeline): GPUBindGroup {
    const storage = op.storage.map(({ name }) => {
      const { buffer, view } = this.place(buffers[name] ?? `${op.name}.${name}`);
      return { buffer, offset: view.offsetBytes, size: Math.max(4, view.bytes) };
    });
    const uniforms = op.uniforms.map(({ name }) => {
      const buffer = this.uniforms.get(name);
      if (buffer === undefined) throw new RangeError(`${op.name}: no uniform "${name}".`);
      return { buffer };
    });
    const entries = [...storage, ...uniforms].map((resource, binding) => ({ binding, resource }));
    return this.guard.run(() =>
      this.device.createBindGroup({ label: op.name, layout: pipeline.getBindGroupLayout(0), entries }),
    );
  }

  private preparedOf(call: KernelCall): PreparedCall {
    const prepared = this.prepared.get(call);
    if (prepared === undefined) throw new RangeError(`${call.op.name} is not of this program.`);
    return prepared;
  }
}

/**
 * @throws DeviceFailedError when the kernels don't compile or the memory isn't there, DeviceLostError when the device is
 * gone.
 */
export async function createWebgpuExecutor(
  device: GPUDevice,
  program: KernelProgram,
  options: WebgpuExecutorOptions = {},
): Promise<ProgramExecutor> {
  const executor = new WebgpuExecutor(device, program, options);
  try {
    await executor.open();
  } catch (error) {
    await executor.close();
    throw error;
  }
  return executor;
}
