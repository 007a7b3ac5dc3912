// Sends the pieces of an answer to where they are taken, never more than were asked for.

import { AnswerStream, WINDOW, type PieceSource, type StreamHead } from './answerStream.ts';

export interface PieceSink {
  /** Throws where the piece can not be sent, e.g. a function to another thread. */
  piece(value: unknown): void;
  /** Called once, last; with an error where making the pieces failed. */
  ended(error: unknown): void;
}

export class PieceSender implements PieceSource {
  readonly #pieces: AsyncIterator<unknown>;
  readonly #sink: PieceSink;
  #credit = WINDOW;
  #isPumping = false;
  #hasEnded = false;

  /** Starts to send. */
  constructor(pieces: AsyncIterator<unknown>, sink: PieceSink) {
    this.#pieces = pieces;
    this.#sink = sink;
    void this.#pump();
  }

  ask(count: number): void {
    this.#credit += count;
    void this.#pump();
  }

  /** A generator ends at its next `yield`; until then its call is in hand. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#credit = -Infinity;
    void this.#close().then(() => this.#end(undefined));
  }

  async #pump(): Promise<void> {
    if (this.#isPumping || this.#hasEnded) return;
    this.#isPumping = true;
    try {
      while (this.#credit > 0) {
        const result = await this.#pieces.next();
        // Cancelled meanwhile.
        if (this.#credit < 0) return;
        if (result.done === true) {
          this.#end(undefined);
          return;
        }
        this.#credit -= 1;
        try {
          this.#sink.piece(result.value);
        } catch (error) {
          this.#end(error);
          await this.#close();
          return;
        }
      }
    } catch (error) {
      this.#end(error);
    } finally {
      this.#isPumping = false;
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#pieces.return?.();
    } catch {
      // The caller has gone: neither the pieces nor an error of ending them can be sent.
    }
  }

  #end(error: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sink.ended(error);
  }
}

/** An answer whose pieces are made in this thread. */
export function streamHere(head: StreamHead | undefined, pieces: AsyncIterator<unknown>): AnswerStream {
  const source: PieceSource = {
    ask: (count) => sender.ask(count),
    cancel: () => sender.cancel(),
  };
  const stream = new AnswerStream(head, source);
  const sender = new PieceSender(pieces, {
    piece: (value) => stream.push(value),
    ended: (error) => stream.sourceEnded(error),
  });
  return stream;
}
