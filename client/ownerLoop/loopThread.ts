// A loop of an owner's in a thread of its own, as the worker's main thread has it.

import { errorCodes, TabgradError, type ErrorCode, type ErrorPlace } from '../../kernels/errors.ts';
import { deferred } from '../../shared/deferred.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { OpenOwnerThread, OwnerThread } from '../thread/threadPort.ts';
import {
  fromLoopThread,
  type LoopPlace,
  type LoopSource,
  type LoopStart,
  type PlainError,
  type ToLoopThread,
} from './loopMessages.ts';

/** What the loop's thread failed with: what the owner's code threw, or what it was told was wrong. */
export class OwnerLoopError extends TabgradError {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, place?: ErrorPlace) {
    super(message, place);
    this.code = code;
  }
}

/** Answers what a loop asks for; what it throws is thrown into the loop. @param what from the thread, unchecked. */
export type AnswerLoop = (what: unknown) => Promise<LoopAnswer>;

export interface LoopAnswer {
  readonly value?: unknown;
  /** Memory of the value that is given away. */
  readonly transfer?: readonly ArrayBuffer[];
  /** The group is over with this answer, and why. */
  readonly over?: Error;
}

/** A loop waits for its answers; more at a time are a mistake, and memory. */
const MAX_OPEN_ASKS = 1000;

export class LoopThread {
  /** Resolves when the loop can be called. @throws OwnerLoopError */
  readonly opened: Promise<void>;
  /** Resolves with the reason when the GPU device is lost. Never rejects. */
  readonly lost: Promise<string>;
  /** Resolves when the thread is gone. Never rejects. */
  readonly ended: Promise<string>;
  readonly #thread: OwnerThread;
  readonly #isOnGpu: boolean;
  readonly #opened = deferred<void>();
  readonly #lost = deferred<string>();
  readonly #over = deferred<void>();
  #answer: AnswerLoop | undefined;
  #openAsks = 0;
  #isEnded = false;

  constructor(openThread: OpenOwnerThread, kind: LoopStart['kind'], code: LoopSource) {
    this.opened = this.#opened.promise;
    this.lost = this.#lost.promise;
    this.#isOnGpu = kind.name === 'tensors' && kind.device === 'webgpu';
    this.#opened.promise.catch(() => undefined);
    this.#over.promise.catch(() => undefined);
    this.#thread = openThread((message) => this.#receive(message));
    this.ended = this.#thread.ended;
    void this.ended.then((how) => {
      this.#isEnded = true;
      this.#fail(new OwnerLoopError('TRAIN_LOOP_FAILED', `the thread of trainLoopPerWorker is gone: ${how}`));
    });
    this.#post({ type: 'startLoop', kind, code });
  }

  /** Calls the loop, once. Resolves when it has returned. @throws OwnerLoopError with what it threw. */
  call(config: unknown, place: LoopPlace, answer: AnswerLoop): Promise<void> {
    this.#answer = answer;
    this.#post({ type: 'call', config, place });
    return this.#over.promise;
  }

  /** Ends the thread, and the loop in it wherever it is. Idempotent. @returns when it is gone. */
  async end(): Promise<void> {
    if (!this.#isEnded) this.#thread.terminate(this.#isOnGpu ? 'gently' : 'at once');
    this.#isEnded = true;
    await this.ended;
  }

  #receive(received: unknown): void {
    const parsed = fromLoopThread.safeParse(received);
    if (!parsed.success || this.#isEnded) return;
    const message = parsed.data;
    switch (message.type) {
      case 'opened':
        return this.#opened.resolve();
      case 'returned':
        return this.#over.resolve();
      case 'threw':
        return this.#fail(errorOf(message.error));
      case 'lost':
        return this.#lost.resolve(message.reason);
      case 'ask':
        return void this.#reply(message.id, message.what);
    }
  }

  async #reply(id: number, what: unknown): Promise<void> {
    this.#openAsks += 1;
    try {
      if (!this.#answer || this.#openAsks > MAX_OPEN_ASKS) {
        throw new OwnerLoopError(
          'TRAIN_LOOP_FAILED',
          `a loop asks for at most ${MAX_OPEN_ASKS} things at a time`,
        );
      }
      const { value, transfer } = await this.#answer(what);
      this.#post({ type: 'answer', id, value }, transfer);
    } catch (error) {
      this.#post({ type: 'refused', id, error: plain(error) });
    } finally {
      this.#openAsks -= 1;
    }
  }

  #fail(error: Error): void {
    this.#opened.reject(error);
    this.#over.reject(error);
  }

  #post(message: ToLoopThread, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.#isEnded) this.#thread.post(message, transfer);
  }
}

function plain(error: unknown): PlainError {
  const name = error instanceof Error ? error.name : 'Error';
  const code = error instanceof TabgradError ? error.code : undefined;
  return { name: name.slice(0, 100), message: messageOf(error).slice(0, 4000), ...(code && { code }) };
}

/** Under a code of its own where it has one; it never blames a peer, whatever the owner's code says. */
function errorOf({ code, message, name, stack }: PlainError): OwnerLoopError {
  if (code !== undefined && Object.hasOwn(errorCodes, code))
    return new OwnerLoopError(code as ErrorCode, message);
  const what = stack ?? `${name}: ${message}`;
  return new OwnerLoopError('TRAIN_LOOP_FAILED', `trainLoopPerWorker threw: ${what.slice(0, 2000)}`);
}
