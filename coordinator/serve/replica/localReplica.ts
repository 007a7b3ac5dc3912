// A replica in the server's own thread, for classes that are given as values: a class can not be sent to a thread.

import { ReplicaLostError } from '../request/serveErrors.ts';
import type { AnswerStream } from '../stream/answerStream.ts';
import { streamHere } from '../stream/pieceSender.ts';
import { StreamedAnswer } from '../stream/streamedAnswer.ts';
import type { Done, Replica, ReplicaOp, ReplicaProgram } from './replica.ts';

interface Running {
  readonly done: Done;
  readonly controller: AbortController;
}

export class LocalReplica implements Replica {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #running = new Map<number, Running>();
  readonly #streams = new Map<AnswerStream, AbortController>();
  #program: ReplicaProgram | undefined;
  #lastCall = 0;
  #end: (how: string) => void = () => undefined;
  #endedHow: string | undefined;

  constructor(id: string, make: () => Promise<ReplicaProgram>) {
    this.id = id;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.ready = make().then((program) => void (this.#program = program));
    this.ready.catch((error: unknown) => this.kill(String(error)));
  }

  call(op: ReplicaOp, args: readonly unknown[], done: Done): number {
    const call = ++this.#lastCall;
    const controller = new AbortController();
    this.#running.set(call, { done, controller });
    void this.#run(op, args, controller.signal).then(
      (value) => this.#settle(call, undefined, value),
      (error: unknown) => this.#settle(call, error, undefined),
    );
    return call;
  }

  cancel(call: number): void {
    this.#running.get(call)?.controller.abort();
  }

  /** The class can not be stopped; its answer is dropped. */
  kill(reason: string): Promise<void> {
    if (this.#endedHow !== undefined) return Promise.resolve();
    this.#endedHow = reason;
    for (const { done, controller } of this.#running.values()) {
      controller.abort();
      done(new ReplicaLostError(`Replica ${this.id} ended: ${reason}.`), undefined);
    }
    this.#running.clear();
    for (const [stream, controller] of this.#streams) {
      controller.abort();
      stream.fail(new ReplicaLostError(`Replica ${this.id} ended: ${reason}.`));
      stream.sourceEnded();
    }
    this.#program = undefined;
    this.#end(reason);
    return Promise.resolve();
  }

  async #run(op: ReplicaOp, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    await Promise.resolve();
    if (!this.#program) throw new ReplicaLostError(`Replica ${this.id} has ended: ${this.#endedHow ?? ''}.`);
    return this.#program.run(op, args, signal);
  }

  #settle(call: number, error: unknown, value: unknown): void {
    const running = this.#running.get(call);
    this.#running.delete(call);
    if (!(value instanceof StreamedAnswer)) running?.done(error, value);
    else if (running) running.done(undefined, this.#stream(value, running));
    else void value.pieces.return?.();
  }

  #stream({ head, pieces }: StreamedAnswer, { controller }: Running): AnswerStream {
    const stream = streamHere(head, {
      next: () => pieces.next(),
      return: () => {
        controller.abort();
        return pieces.return?.() ?? Promise.resolve({ done: true, value: undefined });
      },
    });
    this.#streams.set(stream, controller);
    void stream.over.then(() => this.#streams.delete(stream));
    return stream;
  }
}
