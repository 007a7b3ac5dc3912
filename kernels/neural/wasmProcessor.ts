// Ops by the kernels of WebAssembly, over one heap that holds all memory of the program. What has no kernel is done by its
// reference, over the same memory.

import type { OpInputs, WordArray } from '../gpu/op.ts';
import { THREAD_BYTES } from '../wasm/assembly/neural/kernelNumbers.ts';
import { neuralModule } from '../wasm/built/neural.ts';
import type { HeapPiece } from '../wasm/wasmHeap.ts';
import { oneThread, type ThreadChoice, WasmRuntime } from '../wasm/wasmRuntime.ts';
import type { NeuralOp, WasmJob, WasmKernel } from './neuralOp.ts';
import { allocatedBytes, bufferView, performReference, type Processor } from './processor.ts';
import type { KernelProgram } from './program.ts';

/** Of one thread. */
const FLOP_PER_SLICE = 500e6;
/** Most parameters of a job. */
const MOST_PARAMETERS = 64;

/** @throws DeviceFailedError when the memory is not there. */
export async function openWasmProcessor(
  program: KernelProgram,
  threads: ThreadChoice = oneThread,
): Promise<Processor> {
  const runtime = await WasmRuntime.open(neuralModule, threads);
  try {
    return new WasmProcessor(program, runtime);
  } catch (error) {
    runtime.close();
    throw error;
  }
}

class WasmProcessor implements Processor {
  readonly lost: Promise<string>;
  readonly bytes: number;
  readonly flopPerSlice: number;
  private readonly program: KernelProgram;
  private readonly runtime: WasmRuntime;
  private readonly allocations: ReadonlyMap<string, HeapPiece>;
  private readonly threadMemory: HeapPiece;
  private readonly parameters: HeapPiece;
  private readonly tables = new Map<WasmKernel, HeapPiece>();

  constructor(program: KernelProgram, runtime: WasmRuntime) {
    const { heap, threads, lost } = runtime;
    this.program = program;
    this.runtime = runtime;
    this.lost = lost;
    this.bytes = allocatedBytes(program);
    this.flopPerSlice = FLOP_PER_SLICE * threads;
    this.allocations = new Map(
      program.memory.allocations.map(({ name, bytes }) => [name, heap.allocate(bytes)]),
    );
    this.threadMemory = heap.allocate(THREAD_BYTES * threads);
    this.parameters = heap.allocate(8 * MOST_PARAMETERS);
    for (const { op } of program.calls) if (op.wasm) this.tableOf(op.wasm);
    // Memory of the heap is zero only where it was never used.
    for (const [name, piece] of this.allocations) {
      const { bytes } = program.memory.allocations.find((each) => each.name === name)!;
      heap.view('u8', piece.at, bytes).fill(0);
    }
    for (const [name, values] of Object.entries(program.memory.contents)) this.view(name).set(values);
  }

  view(name: string): WordArray {
    const { bytes, type } = bufferView(this.program, name);
    const array: unknown = this.runtime.heap.view(type, this.addressOf(name), bytes / 4);
    return array as WordArray;
  }

  perform(op: NeuralOp, bufferOf: (binding: string) => string, uniforms: OpInputs['uniforms']): void {
    const { wasm } = op;
    if (wasm === undefined) {
      performReference(op, (binding) => this.view(bufferOf(binding)), uniforms);
      return;
    }
    const jobs = wasm.jobs({
      at: (binding) => this.addressOf(bufferOf(binding)),
      uniforms,
      table: this.tableOf(wasm),
      threadMemory: this.threadMemory.at,
      threadBytes: THREAD_BYTES,
    });
    for (const job of jobs) this.do(job);
  }

  close(): void {
    this.runtime.close();
  }

  private do({ kernel, parameters, tasks }: WasmJob): void {
    const { heap } = this.runtime;
    heap.view('f64', this.parameters.at, MOST_PARAMETERS).set(parameters);
    this.runtime.run(kernel, this.parameters.at, tasks);
  }

  private addressOf(name: string): number {
    const { allocation, offsetBytes } = bufferView(this.program, name);
    const piece = this.allocations.get(allocation);
    if (piece === undefined) throw new RangeError(`The program has no memory "${allocation}".`);
    return piece.at + offsetBytes;
  }

  private tableOf(kernel: WasmKernel): number {
    if (kernel.table === undefined) return 0;
    const known = this.tables.get(kernel);
    if (known) return known.at;
    const { heap } = this.runtime;
    const piece = heap.allocate(kernel.table.byteLength);
    heap.view('i32', piece.at, kernel.table.length).set(kernel.table);
    this.tables.set(kernel, piece);
    return piece.at;
  }
}
