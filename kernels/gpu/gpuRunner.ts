// Runs ops on a GPUDevice that somebody else owns: compiles pipelines once, records dispatches into one command encoder
// until a result is read, frees what was needed once, and turns every WebGPU error into a rejected call.

import { BufferPool } from './bufferPool.ts';
import { BufferTracker } from './bufferTracker.ts';
import { bufferUsage } from './bufferUsage.ts';
import { GpuGuard } from './gpuGuard.ts';
import { mappedRead } from './mappedRead.ts';
import type { Op, WordArray } from './op.ts';
import { PipelineCache } from './pipelineCache.ts';
import { packUniform } from './shaderSource.ts';
import { TransientArena } from './transientArena.ts';

const STORAGE_USAGE = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/** Smallest buffer: WebGPU refuses empty ones. Anything larger would show in a kernel's arrayLength. */
const SMALLEST_BYTES = 4;

/** What a dispatch is given for a binding: a whole buffer, or a part of one. */
export type BoundBuffer = GPUBuffer | GPUBufferBinding;

export class GpuRunner {
  readonly device: GPUDevice;
  readonly tracker: BufferTracker;
  private readonly errors: GpuGuard;
  private readonly cache: PipelineCache;
  private readonly pipelines = new Map<Op, GPUComputePipeline>();
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private readonly arena: TransientArena;
  private readonly scratch: BufferPool;
  private readonly staging: BufferPool;

  constructor(device: GPUDevice, options: { tracker?: BufferTracker; pipelines?: PipelineCache } = {}) {
    this.device = device;
    this.tracker = options.tracker ?? new BufferTracker();
    this.cache = options.pipelines ?? new PipelineCache(device);
    this.errors = new GpuGuard(device);
    this.arena = new TransientArena(device, this.tracker);
    this.scratch = new BufferPool(device, this.tracker, 'scratch', STORAGE_USAGE);
    this.staging = new BufferPool(
      device,
      this.tracker,
      'readback',
      bufferUsage.mapRead | bufferUsage.copyTarget,
    );
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

  /** An array to read from, for commands that are recorded before the next submission. */
  uploadOnce(words: WordArray): GPUBufferBinding {
    return this.arena.add(words);
  }

  uploadUniform(op: Op, name: string, values: Readonly<Record<string, number>>): GPUBuffer {
    return this.uploadAs(name, packUniform(op, name, values), bufferUsage.uniform);
  }

  /** As `uploadOnce`. */
  uploadUniformOnce(op: Op, name: string, values: Readonly<Record<string, number>>): GPUBufferBinding {
    return this.arena.add(packUniform(op, name, values));
  }

  /** A storage buffer whose first `bytes` are zero; to be given back when its last commands are recorded. */
  takeScratch(bytes: number): GPUBuffer {
    const buffer = this.scratch.take(bytes);
    if (bytes > 0) this.commandsOutsidePass().clearBuffer(buffer, 0, bytes);
    return buffer;
  }

  giveBackScratch(buffer: GPUBuffer): void {
    this.scratch.giveBack(buffer);
  }

  /** Records one dispatch; `buffers` by binding name. Dispatches see each other's writes in order. */
  dispatch(op: Op, buffers: Readonly<Record<string, BoundBuffer>>, groups: readonly [number, number]): void {
    if (groups[0] === 0 || groups[1] === 0) return;
    const pipeline = this.pipelines.get(op);
    if (pipeline === undefined) throw new RangeError(`${op.name} was not compiled.`);
    const entries = [...op.storage, ...op.uniforms].map(({ name }, binding) => {
      const buffer = buffers[name];
      if (buffer === undefined) throw new RangeError(`${op.name}: no buffer for "${name}".`);
      return { binding, resource: 'buffer' in buffer ? buffer : { buffer } };
    });
    const layout = pipeline.getBindGroupLayout(0);
    this.pass ??= this.commands().beginComputePass();
    this.pass.setPipeline(pipeline);
    this.pass.setBindGroup(0, this.device.createBindGroup({ label: op.name, layout, entries }));
    this.pass.dispatchWorkgroups(groups[0], groups[1]);
  }

  /** Hands the recorded commands to the GPU without waiting for them. */
  submit(): void {
    if (this.encoder === undefined) return;
    this.guard(() => {
      this.arena.flush();
      this.device.queue.submit([this.commandsOutsidePass().finish()]);
    });
    this.encoder = undefined;
    this.arena.reset();
  }

  /**
   * Submits what was recorded and reads the first `bytes` of `buffer`.
   * @throws DeviceLostError, DeviceFailedError when any command since the last read went wrong.
   */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const staging = this.guard(() => {
      const target = this.staging.take(bytes);
      if (bytes > 0) this.commandsOutsidePass().copyBufferToBuffer(buffer, 0, target, 0, bytes);
      return target;
    });
    this.submit();
    try {
      const content = await mappedRead(this.errors, staging, bytes);
      staging.unmap();
      this.staging.giveBack(staging);
      return content;
    } catch (error) {
      this.tracker.destroy(staging);
      throw error;
    }
  }

  /** Frees every buffer; commands that were not submitted are dropped. */
  close(): void {
    this.pass?.end();
    this.pass = undefined;
    this.encoder = undefined;
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
