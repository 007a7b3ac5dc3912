// A program that is open on a worker, as its owner calls it. Each call is answered once: by the program, by its deadline,
// by its caller's signal, or by the loss of the worker, whichever is first.

import { AbortedError, DeadlineError } from '../../kernels/errors.ts';
import {
  decodeProgramFrame,
  encodeProgramFrame,
  frameValue,
  type DecodedFrame,
} from '../../shared/program/programFrame.ts';
import { fromProgram, type CodeError, type FromProgram } from '../../shared/protocol/program.ts';
import { ProgramLostError } from './programErrors.ts';
import type { ProgramPipe, Slot, PlacedWorker } from '../core/programs/programPipe.ts';

export interface CallOptions {
  /** Withdraws the call: it rejects with AbortedError at once, and the program's signal fires. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Rejects with a DeadlineError that names the worker. The program goes on; a caller that does not trust it any more closes
   * the instance, which ends an endless loop too.
   */
  readonly deadlineMs?: number | undefined;
}

export interface ProgramInstance {
  readonly worker: PlacedWorker;
  /** Resolves with how it ended; all calls in its hands have failed with ProgramLostError by then. Never rejects. */
  readonly ended: Promise<string>;
  /** Resolves with the reason when the worker's volunteer wants it back: no new calls, and close soon. Never rejects. */
  readonly leaving: Promise<string>;
  /** Calls that wait for their answer. */
  readonly callsInHand: number;
  /**
   * Calls a method with plain values and typed arrays.
   * @throws ProgramCodeError when it threw; ProgramLostError when the worker is gone (it may have been done);
   *   DeadlineError, AbortedError; ValueNotPlainError or ProgramFrameError when the arguments can't travel.
   */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>;
  /** Ends the program and its thread, at once. Idempotent. */
  close(reason: string): Promise<void>;
}

interface Call {
  settle(answer: { readonly value: unknown } | { readonly error: unknown }): void;
}

export class PipedInstance implements ProgramInstance {
  readonly worker: PlacedWorker;
  readonly ended: Promise<string>;
  readonly leaving: Promise<string>;
  readonly #pipe: ProgramPipe;
  readonly #explain: (error: CodeError, worker: PlacedWorker) => Error;
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #end: string | undefined;

  /** @param explain makes an error of what the program threw. */
  constructor({ worker, pipe, leaving }: Slot, explain: (error: CodeError, worker: PlacedWorker) => Error) {
    this.worker = worker;
    this.leaving = leaving;
    this.#pipe = pipe;
    this.#explain = explain;
    this.ended = pipe.closed.then((reason) => this.#lose(reason));
    pipe.onFrame((bytes) => this.#receive(bytes));
  }

  get callsInHand(): number {
    return this.#calls.size;
  }

  async call(method: string, args: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    const { signal, deadlineMs } = options;
    if (this.#end !== undefined) throw this.#lost(this.#end);
    const call = ++this.#lastCall;
    const frame = encodeProgramFrame({ type: 'call', call, method }, args, `arguments of ${method}`);
    if (signal?.aborted) throw new AbortedError(`A call of ${method} was withdrawn.`);
    return new Promise((resolve, reject) => {
      const give = (error: Error): void => {
        this.#pipe.send(encodeProgramFrame({ type: 'cancel', call }, undefined, ''));
        settle({ error });
      };
      const withdraw = (): void => give(new AbortedError(`A call of ${method} was withdrawn.`));
      const timer =
        deadlineMs === undefined
          ? undefined
          : setTimeout(() => give(this.#late(method, deadlineMs)), deadlineMs);
      const settle: Call['settle'] = (answer) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', withdraw);
        this.#calls.delete(call);
        if ('error' in answer) reject(answer.error);
        else resolve(answer.value);
      };
      signal?.addEventListener('abort', withdraw, { once: true });
      this.#calls.set(call, { settle });
      this.#pipe.send(frame);
    });
  }

  async close(reason: string): Promise<void> {
    this.#pipe.close(reason);
    await this.ended;
  }

  #receive(bytes: Uint8Array): void {
    let frame: DecodedFrame<FromProgram>;
    try {
      frame = decodeProgramFrame(bytes, fromProgram);
    } catch (error) {
      return this.#pipe.close(`it sent a malformed frame: ${(error as Error).message}`);
    }
    const { message } = frame;
    if (message.type !== 'answer' && message.type !== 'threw') return;
    if (message.call > this.#lastCall) return this.#pipe.close('it answered a call that nobody made');
    // Calls that were withdrawn are answered too: those answers are dropped.
    const call = this.#calls.get(message.call);
    if (!call) return;
    if (message.type === 'threw') return call.settle({ error: this.#explain(message.error, this.worker) });
    try {
      call.settle({ value: frameValue(frame) });
    } catch (error) {
      call.settle({ error });
    }
  }

  #lose(reason: string): string {
    this.#end = reason;
    for (const call of this.#calls.values()) call.settle({ error: this.#lost(reason) });
    return reason;
  }

  #lost(reason: string): ProgramLostError {
    const { workerId } = this.worker;
    return new ProgramLostError(`The program on worker ${workerId} ended: ${reason}.`, { peer: workerId });
  }

  #late(method: string, deadlineMs: number): DeadlineError {
    const { workerId, runtime } = this.worker;
    return new DeadlineError(
      `Worker ${workerId} (${runtime}) did not answer ${method} within ${deadlineMs} ms; its code may be in an endless loop.`,
      { peer: workerId },
    );
  }
}
