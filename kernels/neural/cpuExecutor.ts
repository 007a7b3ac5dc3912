// Runs a program on the processor, each op by its reference: what a machine without a GPU trains with, and what the GPU's
// numbers are compared with. Work is cut into slices, so that a worker's sockets are answered between them.

import { eventTurn } from '../eventTurn.ts';
import type { Op, OpInputs, WordArray } from '../gpu/op.ts';
import type { KernelCall } from './kernelCall.ts';
import type { BufferView, KernelProgram } from './program.ts';
import type { CallTiming, ProgramExecutor, Readback } from './programExecutor.ts';

/** 15 to 60 ms of plain JavaScript. */
const FLOP_PER_SLICE = 60e6;

const arrayTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

export interface CpuExecutorOptions {
  /** Milliseconds of a monotonic clock: given, every call is timed. */
  readonly now?: () => number;
}

/** Timed calls that are kept. */
const MOST_TIMINGS = 20_000;

class CpuExecutor implements ProgramExecutor {
  readonly kind = 'cpu';
  readonly lost = new Promise<string>(() => {});
  private readonly views: Map<string, WordArray>;
  private readonly uniforms = new Map<string, Readonly<Record<string, number>>>();
  private readonly now: (() => number) | undefined;
  private timings: CallTiming[] = [];
  private bytes: number;
  /** What was asked for last; everything waits for it. */
  private last: Promise<unknown> = Promise.resolve();
  private flop = 0;

  constructor({ memory }: KernelProgram, { now }: CpuExecutorOptions) {
    const buffers = new Map(memory.allocations.map(({ name, bytes }) => [name, new ArrayBuffer(bytes)]));
    const viewOf = ({ allocation, offsetBytes, bytes, type }: BufferView): WordArray => {
      const buffer = buffers.get(allocation);
      if (buffer === undefined) throw new RangeError(`The program has no memory "${allocation}".`);
      return new arrayTypes[type](buffer, offsetBytes, bytes / 4);
    };
    this.views = new Map(Object.entries(memory.views).map(([name, view]) => [name, viewOf(view)]));
    for (const [name, values] of Object.entries(memory.contents)) this.view(name).set(values);
    this.bytes = memory.allocations.reduce((sum, { bytes }) => sum + bytes, 0);
    this.now = now;
  }

  get liveBytes(): number {
    return this.bytes;
  }

  get peakBytes(): number {
    return this.bytes;
  }

  write(name: string, values: WordArray, offset = 0): void {
    const copy = values.slice();
    void this.queue(() => this.view(name).set(copy, offset));
  }

  setUniform(name: string, values: Readonly<Record<string, number>>): void {
    void this.queue(() => this.uniforms.set(name, values));
  }

  clear(views: readonly string[]): void {
    void this.queue(() => views.forEach((name) => this.view(name).fill(0)));
  }

  async prepare(): Promise<void> {}

  run(calls: readonly KernelCall[], examples: number): void {
    void this.queue(async () => {
      for (const call of calls) {
        const [width, height] = call.groups(examples);
        if (width === 0 || height === 0) continue;
        const start = this.now?.() ?? 0;
        call.op.reference(this.inputsOf(call));
        if (this.now !== undefined) this.note(call, examples, start, this.now());
        this.flop += call.cost(examples).flop;
        if (this.flop < FLOP_PER_SLICE) continue;
        this.flop = 0;
        await eventTurn();
      }
    });
  }

  read(name: string, offset: number, length: number): Promise<Float32Array<ArrayBuffer>> {
    return this.queue(() => (this.view(name) as Float32Array<ArrayBuffer>).slice(offset, offset + length));
  }

  createReadback(name: string, offset: number, length: number): Readback {
    return { take: () => this.read(name, offset, length) };
  }

  async ready(): Promise<void> {
    await this.last;
  }

  async takeTimings(): Promise<readonly CallTiming[]> {
    await this.last;
    const { timings } = this;
    this.timings = [];
    return timings;
  }

  async close(): Promise<void> {
    await this.last.catch(() => {});
    this.views.clear();
    this.bytes = 0;
  }

  private queue<T>(work: () => Promise<T> | T): Promise<T> {
    const done = this.last.then(work);
    this.last = done;
    // It is thrown where `ready` or a value is awaited.
    done.catch(() => {});
    return done;
  }

  private view(name: string): WordArray {
    const view = this.views.get(name);
    if (view === undefined) throw new RangeError(`The program has no buffer "${name}".`);
    return view;
  }

  private inputsOf({ op, buffers }: KernelCall): OpInputs {
    const storage = Object.fromEntries(
      op.storage.map(({ name }) => [name, this.view(buffers[name] ?? `${op.name}.${name}`)]),
    );
    return {
      storage,
      uniforms: Object.fromEntries(op.uniforms.map(({ name }) => [name, this.uniform(op, name)])),
    };
  }

  private uniform(op: Op, name: string): Readonly<Record<string, number>> {
    const values = this.uniforms.get(name);
    if (values === undefined) throw new RangeError(`${op.name}: no uniform "${name}".`);
    return values;
  }

  private note(call: KernelCall, examples: number, startMs: number, endMs: number): void {
    if (this.timings.length >= MOST_TIMINGS) this.timings.splice(0, MOST_TIMINGS / 2);
    this.timings.push({ call, examples, startNs: startMs * 1e6, endNs: endMs * 1e6 });
  }
}

export function createCpuExecutor(program: KernelProgram, options: CpuExecutorOptions = {}): ProgramExecutor {
  return new CpuExecutor(program, options);
}
