// An answer that comes in pieces, on the side that takes them. Pieces come only as fast as they are taken: the one who
// makes them starts with a window, and gets more of it as pieces are taken out.

import { BadRequestError } from '../../http/httpErrors.ts';

/** Pieces that may be on their way, or wait to be taken. */
export const WINDOW = 16;

/** What an answer in pieces over HTTP begins with. */
export interface StreamHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** How the side that takes pieces talks to the one that makes them. */
export interface PieceSource {
  /** So many more may come. */
  ask(count: number): void;
  /** None is wanted any more; the source still tells when it has ended. */
  cancel(): void;
}

interface Taker {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

export class AnswerStream implements AsyncIterableIterator<unknown, undefined> {
  /** Undefined for an answer to a handle. */
  readonly head: StreamHead | undefined;
  /** Resolves when the source has ended and its last piece was taken, or the reader has stopped. */
  readonly over: Promise<void>;
  /** Called whenever a piece was taken. */
  onTaken: () => void = () => undefined;
  readonly #source: PieceSource;
  readonly #pieces: unknown[] = [];
  readonly #takers: Taker[] = [];
  /** Taken since the source was last asked for more. */
  #taken = 0;
  #sourceHasEnded = false;
  /** How it ends for the reader, after the pieces that are here. */
  #end: { readonly error: unknown } | undefined;
  #resolveOver: () => void = () => undefined;

  constructor(head: StreamHead | undefined, source: PieceSource) {
    this.head = head;
    this.#source = source;
    this.over = new Promise((resolve) => (this.#resolveOver = resolve));
  }

  /** A piece has come. */
  push(piece: unknown): void {
    if (this.#end) return;
    const taker = this.#takers.shift();
    if (taker) this.#give(taker, piece);
    else if (this.#pieces.length < WINDOW) this.#pieces.push(piece);
    else this.fail(new BadRequestError(`More pieces came than the ${WINDOW} that were asked for.`));
  }

  /** No more pieces come; with an error, because that happened. */
  sourceEnded(error?: unknown): void {
    this.#sourceHasEnded = true;
    this.#end ??= { error };
    this.#settleTakers();
    // A source that failed has nothing in hand any more, whatever waits here to be taken.
    if (error !== undefined || this.#pieces.length === 0) this.#resolveOver();
  }

  /** Ends it from here: takers get the error, and the source is told to stop. */
  fail(error: unknown): void {
    if (this.#end && this.#pieces.length === 0) return;
    this.#pieces.length = 0;
    this.#end = { error };
    this.#settleTakers();
    if (this.#sourceHasEnded) this.#resolveOver();
    else this.#source.cancel();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      const taker = { resolve, reject };
      if (this.#pieces.length > 0) this.#give(taker, this.#pieces.shift());
      else if (this.#end) finish(taker, this.#end.error);
      else this.#takers.push(taker);
      if (this.#sourceHasEnded && this.#pieces.length === 0) this.#resolveOver();
    });
  }

  /** `for await` calls it when the loop is left early. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.fail(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #give(taker: Taker, piece: unknown): void {
    taker.resolve({ done: false, value: piece });
    this.onTaken();
    this.#taken += 1;
    if (this.#taken < WINDOW / 2 || this.#end) return;
    this.#source.ask(this.#taken);
    this.#taken = 0;
  }

  #settleTakers(): void {
    for (const taker of this.#takers.splice(0)) finish(taker, this.#end?.error);
  }
}

function finish(taker: Taker, error: unknown): void {
  if (error === undefined) taker.resolve({ done: true, value: undefined });
  else taker.reject(error);
}
