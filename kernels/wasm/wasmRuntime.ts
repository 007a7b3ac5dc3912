// A module of kernels with its memory and the threads that help: jobs of many tasks are done by all of them
// (assembly/pool/jobs.ts). Results do not depend on who does which task, so they don't on the number of threads.

import { DeviceFailedError } from '../gpu/gpuErrors.ts';
import type { CompiledModule } from './compiledModule.ts';
import { compileModule } from './compiledModule.ts';
import { WasmHeap } from './wasmHeap.ts';

/** 4 GiB, all that addresses of 32 bits reach; it is taken only as it is used. */
const MOST_PAGES = 65_536;
const CONTROL_BYTES = 256;

/** What every module of kernels exports. */
interface JobExports {
  heapStart(): number;
  run(control: number, kernel: number, parameters: number, tasks: number): number;
  serve(control: number, thread: number): void;
  closePool(control: number): void;
}

/** What a thread that helps is started with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  /** From 1; 0 is the thread that asks for jobs. */
  readonly thread: number;
}

export interface HelpingThread {
  /** Resolves when it is gone, with the reason. Never rejects. */
  readonly ended: Promise<string>;
  terminate(): void;
}

/** Starts a thread that calls `serveJobs` with what it is given. Rejects where there can be none. */
export type StartThread = (start: ThreadStart) => Promise<HelpingThread>;

/** The threads that a worker computes with. */
export interface ThreadChoice {
  /** With the one that asks, 1 or more. */
  readonly threads: number;
  /** Absent where there are no threads, or no memory that they could share. */
  readonly startThread?: StartThread | undefined;
}

/** One thread, the calling one. */
export const oneThread: ThreadChoice = { threads: 1 };

/** The life of a thread that helps; returns once the pool is closed. */
export function serveJobs({ module, memory, control, thread }: ThreadStart): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports as unknown as JobExports).serve(control, thread);
}

export class WasmRuntime<Exports = unknown> {
  readonly heap: WasmHeap;
  /** The module's own functions, for work that is too small for a job. */
  readonly exports: Exports;
  /** That jobs are done by, with the calling one. */
  readonly threads: number;
  /** Resolves with the reason when a thread is gone and nothing can be computed any more. Never rejects. */
  readonly lost: Promise<string>;
  readonly #jobs: JobExports;
  readonly #control: number;
  readonly #helpers: readonly HelpingThread[];
  #failure: string | undefined;
  #isClosed = false;

  private constructor(
    heap: WasmHeap,
    exports: JobExports,
    control: number,
    helpers: readonly HelpingThread[],
  ) {
    this.heap = heap;
    this.exports = exports as Exports;
    this.threads = helpers.length + 1;
    this.#jobs = exports;
    this.#control = control;
    this.#helpers = helpers;
    this.lost = new Promise((resolve) => {
      for (const { ended } of helpers) {
        void ended.then((reason) => {
          if (this.#isClosed) return;
          this.#failure ??= `A thread of the processor is gone: ${reason}`;
          resolve(this.#failure);
        });
      }
    });
  }

  /** @throws what the engine throws where it has no memory of 64 KiB or refuses the module. */
  static async open<Exports>(
    compiled: CompiledModule,
    { threads, startThread }: ThreadChoice = oneThread,
  ): Promise<WasmRuntime<Exports>> {
    const isShared = threads > 1 && startThread !== undefined;
    const module = await compileModule(compiled, isShared);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: isShared });
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const exports = instance.exports as unknown as JobExports;
    const heap = new WasmHeap(memory, exports.heapStart(), MOST_PAGES);
    const { at: control } = heap.allocate(CONTROL_BYTES);
    heap.view('u8', control, CONTROL_BYTES).fill(0);
    const starts = isShared ? Array.from({ length: threads - 1 }, (_, i) => i + 1) : [];
    const helpers = await Promise.all(
      starts.map((thread) => startThread!({ module, memory, control, thread })),
    );
    return new WasmRuntime<Exports>(heap, exports, control, helpers);
  }

  /**
   * Has `tasks` tasks of a kernel done, and returns when all are.
   * @throws DeviceFailedError when a thread is gone or does not get done.
   */
  run(kernel: number, parameters: number, tasks: number): void {
    if (this.#failure !== undefined) throw new DeviceFailedError(this.#failure);
    if (tasks === 0) return;
    if (this.#jobs.run(this.#control, kernel, parameters, tasks) === 0) return;
    this.#failure = 'A thread of the processor does not answer.';
    throw new DeviceFailedError(this.#failure);
  }

  /** Ends the threads. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#helpers.length > 0) this.#jobs.closePool(this.#control);
    for (const helper of this.#helpers) helper.terminate();
  }
}
