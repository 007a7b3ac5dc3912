// Runs a program on the processor: what a machine without a GPU trains with. Work is cut into slices, so that a worker's sockets
// are answered between them.

import { eventTurn } from '../eventTurn.ts';
import type { Op, OpInputs, WordArray } from '../gpu/op.ts';
import type { ThreadChoice } from '../wasm/wasmRuntime.ts';
import type { KernelCall } from './kernelCall.ts';
import { plainProcessor } from './plainProcessor.ts';
import type { Processor } from './processor.ts';
import type { KernelProgram } from './program.ts';
import type { CallTiming, ProgramExecutor, Readback } from './programExecutor.ts';
import { openWasmProcessor } from './wasmProcessor.ts';

export interface CpuExecutorOptions {
  /** Milliseconds of a monotonic clock: given, every call is timed. */
  readonly now?: () => number;
}

/** What a byte of memory takes, beside products whose operands are in the caches. */
const FLOP_OF_A_BYTE = 3;

/** Timed calls that are kept. */
const MOST_TIMINGS = 20_000;

class CpuExecutor implements ProgramExecutor {
  readonly kind = 'cpu';
  readonly lost: Promise<string>;
  private processor: Processor | undefined;
  private readonly uniforms = new Map<string, Readonly<Record<string, number>>>();
  private readonly now: (() => number) | undefined;
  private timings: CallTiming[] = [];
  readonly peakBytes: number;
  /** What was asked for last; everything waits for it. */
  private last: Promise<unknown> = Promise.resolve();
  /** Since the last turn of the event loop, in multiplications and additions. */
  private work = 0;

  constructor(processor: Processor, { now }: CpuExecutorOptions) {
    this.processor = processor;
    this.lost = processor.lost;
    this.peakBytes = processor.bytes;
    this.now = now;
  }

  get liveBytes(): number {
    return this.processor?.bytes ?? 0;
  }

  write(name: string, values: WordArray, offset = 0): void {
    const copy = values.slice();
    void this.queue((processor) => processor.view(name).set(copy, offset));
  }

  setUniform(name: string, values: Readonly<Record<string, number>>): void {
    void this.queue(() => this.uniforms.set(name, values));
  }

  clear(views: readonly string[]): void {
    void this.queue((processor) => views.forEach((name) => processor.view(name).fill(0)));
  }

  async prepare(): Promise<void> {}

  run(calls: readonly KernelCall[], examples: number): void {
    void this.queue(async (processor) => {
      for (const call of calls) {
        const [width, height] = call.groups(examples);
        if (width === 0 || height === 0) continue;
        const { op, buffers } = call;
        const start = this.now?.() ?? 0;
        processor.perform(op, (name) => buffers[name] ?? `${op.name}.${name}`, this.uniformsOf(op));
        if (this.now !== undefined) this.note(call, examples, start, this.now());
        const { flop, bytes } = call.cost(examples);
        this.work += flop + FLOP_OF_A_BYTE * bytes;
        if (this.work < processor.flopPerSlice) continue;
        this.work = 0;
        await eventTurn();
      }
    });
  }

  read(name: string, offset: number, length: number): Promise<Float32Array<ArrayBuffer>> {
    return this.queue((processor) =>
      (processor.view(name) as Float32Array<ArrayBuffer>).slice(offset, offset + length),
    );
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
    this.processor?.close();
    this.processor = undefined;
  }

  private queue<T>(work: (processor: Processor) => Promise<T> | T): Promise<T> {
    const done = this.last.then(() => {
      if (this.processor === undefined) throw new RangeError('The executor is closed.');
      return work(this.processor);
    });
    this.last = done;
    // It is thrown where `ready` or a value is awaited.
    done.catch(() => {});
    return done;
  }

  private uniformsOf(op: Op): OpInputs['uniforms'] {
    return Object.fromEntries(op.uniforms.map(({ name }) => [name, this.uniform(op, name)]));
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

/** By the references of the ops. */
export function createCpuExecutor(program: KernelProgram, options: CpuExecutorOptions = {}): ProgramExecutor {
  return new CpuExecutor(plainProcessor(program), options);
}

/** By WebAssembly, to the same bits. @throws DeviceFailedError when its memory is not there. */
export async function createWasmExecutor(
  program: KernelProgram,
  options: CpuExecutorOptions = {},
  threads?: ThreadChoice,
): Promise<ProgramExecutor> {
  return new CpuExecutor(await openWasmProcessor(program, threads), options);
}
