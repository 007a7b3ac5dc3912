// A module of kernels with its memory and the threads that help: jobs of many tasks are done by all of them
// (assembly/pool/jobs.ts). Results do not depend on who does which task, so they don't on the number of threads.

import { DeviceFailedError } from '../gpu/gpuErrors.ts';
import type { CompiledModule } from './compiledModule.ts';
import { moduleBytes } from './compiledModule.ts';
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
  /**
   * Jobs take so many milliseconds before the other threads are started, 50 by default: short work is not worth them. At 0 they
   * are there from the start.
   */
  readonly startAfterMs?: number | undefined;
  /** Told when the other threads are there. */
  readonly onStarted?: (() => void) | undefined;
  /** Told once why there are fewer. */
  readonly onMissing?: ((reason: string) => void) | undefined;
}

/** One thread, the calling one. */
export const oneThread: ThreadChoice = { threads: 1 };

const START_AFTER_MS = 50;

/** The life of a thread that helps; returns once the pool is closed. */
export function serveJobs({ module, memory, control, thread }: ThreadStart): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports as unknown as JobExports).serve(control, thread);
}

export class WasmRuntime<Exports = unknown> {
  readonly heap: WasmHeap;
  /** The module's own functions, for work that is too small for a job. */
  readonly exports: Exports;
  /** That may do tasks of a job, the calling one among them. */
  readonly threads: number;
  /** Resolves with the reason when nothing can be computed any more. Never rejects. */
  readonly lost: Promise<string>;
  readonly #jobs: JobExports;
  readonly #control: number;
  readonly #startThread: ((thread: number) => Promise<HelpingThread>) | undefined;
  readonly #startAfterMs: number;
  readonly #onStarted: () => void;
  readonly #onMissing: (reason: string) => void;
  #helpers: Promise<HelpingThread>[] = [];
  #aloneMs = 0;
  #failure: string | undefined;
  #isClosed = false;
  #lose: (reason: string) => void = () => {};

  private constructor(
    heap: WasmHeap,
    module: WebAssembly.Module,
    exports: JobExports,
    { threads, startThread, startAfterMs, onStarted, onMissing }: ThreadChoice,
  ) {
    this.heap = heap;
    this.exports = exports as Exports;
    this.threads = threads;
    this.#jobs = exports;
    const { at: control } = heap.allocate(CONTROL_BYTES);
    heap.view('u8', control, CONTROL_BYTES).fill(0);
    this.#control = control;
    const { memory } = heap;
    if (threads > 1) this.#startThread = (thread) => startThread!({ module, memory, control, thread });
    this.#startAfterMs = startAfterMs ?? START_AFTER_MS;
    this.#onStarted = onStarted ?? (() => {});
    this.#onMissing = onMissing ?? (() => {});
    this.lost = new Promise((resolve) => (this.#lose = resolve));
  }

  /**
   * @param mostPages of 64 KiB that its memory may grow to.
   * @throws what the engine throws where it has no memory of 64 KiB or refuses the module.
   */
  static async open<Exports>(
    compiled: CompiledModule,
    choice: ThreadChoice = oneThread,
    mostPages = MOST_PAGES,
  ): Promise<WasmRuntime<Exports>> {
    const threads = choice.startThread === undefined ? 1 : Math.max(1, choice.threads);
    const isShared = threads > 1;
    const module = await WebAssembly.compile(moduleBytes(compiled, isShared));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: isShared });
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const exports = instance.exports as unknown as JobExports;
    const heap = new WasmHeap(memory, exports.heapStart(), mostPages);
    const runtime = new WasmRuntime<Exports>(heap, module, exports, { ...choice, threads });
    if (choice.startAfterMs === 0) await runtime.#startThreads();
    return runtime;
  }

  /** At once, for the calling thread alone. @throws as `open`. */
  static openAlone<Exports>(compiled: CompiledModule): WasmRuntime<Exports> {
    const module = new WebAssembly.Module(moduleBytes(compiled, false));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const jobs = exports as unknown as JobExports;
    const heap = new WasmHeap(memory, jobs.heapStart(), MOST_PAGES);
    return new WasmRuntime<Exports>(heap, module, jobs, oneThread);
  }

  /**
   * Has `tasks` tasks of a kernel done, and returns when all are.
   * @throws DeviceFailedError when a thread does not get done.
   */
  run(kernel: number, parameters: number, tasks: number): void {
    if (this.#failure !== undefined) throw new DeviceFailedError(this.#failure);
    if (tasks === 0) return;
    const isAlone = this.#helpers.length === 0 && this.#startThread !== undefined;
    const start = isAlone ? performance.now() : 0;
    if (this.#jobs.run(this.#control, kernel, parameters, tasks) !== 0) {
      this.#failure = 'A thread of the processor does not get its work done.';
      this.#lose(this.#failure);
      throw new DeviceFailedError(this.#failure);
    }
    if (!isAlone) return;
    this.#aloneMs += performance.now() - start;
    if (this.#aloneMs >= this.#startAfterMs) void this.#startThreads();
  }

  /** They take part as they come; without them work goes on. */
  async #startThreads(): Promise<void> {
    const start = this.#startThread;
    if (!start || this.#isClosed) return;
    this.#helpers = Array.from({ length: this.threads - 1 }, (_, i) => start(i + 1));
    const ends = await Promise.allSettled(this.#helpers);
    const missing = ends.find((end) => end.status === 'rejected');
    if (missing) this.#onMissing(String(missing.reason));
    else this.#onStarted();
  }

  /** Ends the threads. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#helpers.length > 0) this.#jobs.closePool(this.#control);
    for (const helper of this.#helpers) helper.then((thread) => thread.terminate()).catch(() => {});
  }
}
