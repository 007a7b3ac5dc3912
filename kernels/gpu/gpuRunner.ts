// Runs ops on a GPUDevice that somebody else owns: compiles pipelines once, records dispatches into one command encoder
// until a result is read, frees what was needed once, and turns every WebGPU error into a rejected call.

import { BufferTracker } from './bufferTracker.ts';
import { bufferUsage } from './bufferUsage.ts';
import { GpuGuard } from './gpuGuard.ts';
import { mappedRead } from './mappedRead.ts';
import type { Op, WordArray } from './op.ts';
import { PipelineCache } from './pipelineCache.ts';
import { packUniform } from './shaderSource.ts';

const STORAGE_USAGE = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/** Smallest buffer: WebGPU refuses empty ones. Anything larger would show in a kernel's arrayLength. */
const SMALLEST_BYTES = 4;

export class GpuRunner {
  readonly device: GPUDevice;
  readonly tracker: BufferTracker;
  private readonly errors: GpuGuard;
  private readonly cache: PipelineCache;
  private readonly pipelines = new Map<Op, GPUComputePipeline>();
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** Buffers that only the commands recorded so far need. */
  private transients: GPUBuffer[] = [];

  constructor(device: GPUDevice, options: { tracker?: BufferTracker; pipelines?: PipelineCache } = {}) {
    this.device = device;
    this.tracker = options.tracker ?? new BufferTracker();
    this.cache = options.pipelines ?? new PipelineCache(device);
    this.errors = new GpuGuard(device);
  }

  /** @throws DeviceFailedError when a shader doesn't compile. */
  async compile(ops: readonly Op[]): Promise<void> {
    await Promise.all(
      ops.map(async (op) => {
        try {
          this.pipelines.set(op, await this.cache.get(op));
        } catch (cause) {
          throw this.errors.failure(`compiling ${op.name}`, cause);
        }
      }),
    );
  }

  /** Runs synchronous WebGPU calls; what goes wrong in them rejects the next `settled` or `read`. */
  guard<T>(work: () => T): T {
    return this.errors.run(work);
  }

  /** @throws DeviceLostError, DeviceFailedError when a guarded call since the last check went wrong. */
  settled(): Promise<void> {
    return this.errors.settled();
  }

  createBuffer(label: string, bytes: number): GPUBuffer {
    return this.tracker.create(this.device, {
      label,
      size: Math.max(SMALLEST_BYTES, bytes),
      usage: STORAGE_USAGE,
    });
  }

  /** A storage buffer with this content. */
  upload(label: string, words: WordArray): GPUBuffer {
    return this.uploadAs(label, words, STORAGE_USAGE);
  }

  /** As `upload`, freed once the commands recorded up to the next submission have been handed over. */
  uploadOnce(label: string, words: WordArray): GPUBuffer {
    const buffer = this.upload(label, words);
    this.transients.push(buffer);
    return buffer;
  }

  uploadUniform(op: Op, name: string, values: Readonly<Record<string, number>>): GPUBuffer {
    return this.uploadAs(name, packUniform(op, name, values), bufferUsage.uniform);
  }

  uploadUniformOnce(op: Op, name: string, values: Readonly<Record<string, number>>): GPUBuffer {
    const buffer = this.uploadUniform(op, name, values);
    this.transients.push(buffer);
    return buffer;
  }

  /** Records one dispatch; `buffers` by binding name. Dispatches see each other's writes in order. */
  dispatch(op: Op, buffers: Readonly<Record<string, GPUBuffer>>, groups: readonly [number, number]): void {
    if (groups[0] === 0 || groups[1] === 0) return;
    const pipeline = this.pipelines.get(op);
    if (pipeline === undefined) throw new RangeError(`${op.name} was not compiled.`);
    const entries = [...op.storage, ...op.uniforms].map(({ name }, binding) => {
      const buffer = buffers[name];
      if (buffer === undefined) throw new RangeError(`${op.name}: no buffer for "${name}".`);
      return { binding, resource: { buffer } };
    });
    const layout = pipeline.getBindGroupLayout(0);
    this.pass ??= this.commands().beginComputePass();
    this.pass.setPipeline(pipeline);
    this.pass.setBindGroup(0, this.device.createBindGroup({ label: op.name, layout, entries }));
    this.pass.dispatchWorkgroups(groups[0], groups[1]);
  }

  /** Records a copy of `buffer` as it is after the commands recorded so far. */
  copy(buffer: GPUBuffer): GPUBuffer {
    const target = this.createBuffer('copy', buffer.size);
    this.commandsOutsidePass().copyBufferToBuffer(buffer, 0, target, 0, buffer.size);
    return target;
  }

  /** Hands the recorded commands to the GPU without waiting for them. */
  submit(): void {
    if (this.encoder === undefined) return;
    this.guard(() => this.device.queue.submit([this.commandsOutsidePass().finish()]));
    this.encoder = undefined;
    // Destroying after submission is allowed: the GPU's work on them still completes.
    for (const buffer of this.transients) this.tracker.destroy(buffer);
    this.transients = [];
  }

  /**
   * Submits what was recorded and reads the first `bytes` of `buffer`.
   * @throws DeviceLostError, DeviceFailedError when any command since the last read went wrong.
   */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const staging = this.guard(() => {
      const target = this.tracker.create(this.device, {
        label: 'readback',
        size: Math.max(SMALLEST_BYTES, bytes),
        usage: bufferUsage.mapRead | bufferUsage.copyTarget,
      });
      if (bytes > 0) this.commandsOutsidePass().copyBufferToBuffer(buffer, 0, target, 0, bytes);
      return target;
    });
    this.submit();
    try {
      return await mappedRead(this.errors, staging, bytes);
    } finally {
      this.tracker.destroy(staging);
    }
  }

  /** Frees every buffer; commands that were not submitted are dropped. */
  close(): void {
    this.pass?.end();
    this.pass = undefined;
    this.encoder = undefined;
    this.transients = [];
    this.tracker.destroyAll();
  }

  private uploadAs(label: string, words: WordArray, usage: number): GPUBuffer {
    const size = Math.max(SMALLEST_BYTES, words.byteLength);
    const buffer = this.tracker.create(this.device, { label, size, usage, mappedAtCreation: true });
    // The bits as they are, whatever their type: copying floats as floats may quieten NaNs.
    new Int32Array(buffer.getMappedRange()).set(new Int32Array(words.buffer, words.byteOffset, words.length));
    buffer.unmap();
    return buffer;
  }

  private commands(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  private commandsOutsidePass(): GPUCommandEncoder {
    this.pass?.end();
    this.pass = undefined;
    return this.commands();
  }
}
