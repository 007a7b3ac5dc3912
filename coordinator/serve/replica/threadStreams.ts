// Answers in pieces between two threads, at either end of the port: those that this end makes, and those that it takes.

import { fromPlainError, toPlainError, type PieceMessage, type PieceRequest } from './replicaMessages.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import { PieceSender } from '../stream/pieceSender.ts';
import type { StreamedAnswer } from '../stream/streamedAnswer.ts';

export class ThreadStreams {
  readonly #tell: (message: PieceMessage | PieceRequest) => void;
  readonly #made = new Map<number, PieceSender>();
  readonly #taken = new Map<number, AnswerStream>();

  constructor(tell: (message: PieceMessage | PieceRequest) => void) {
    this.#tell = tell;
  }

  /** Sends an answer as its pieces are asked for. Resolves when they have ended. */
  send(call: number, { head, pieces }: Pick<StreamedAnswer, 'head' | 'pieces'>): Promise<void> {
    return new Promise((resolve) => {
      this.#tell({ type: 'stream', call, head });
      const sender = new PieceSender(pieces, {
        piece: (value) => this.#tell({ type: 'piece', call, value }),
        ended: (error) => {
          this.#made.delete(call);
          this.#tell({
            type: 'streamEnd',
            call,
            error: error === undefined ? undefined : toPlainError(error),
          });
          resolve();
        },
      });
      this.#made.set(call, sender);
    });
  }

  /** Stops making pieces. */
  cancel(call: number): void {
    this.#made.get(call)?.cancel();
  }

  /** @param begin is called with an answer in pieces that the other end begins. */
  receive(message: PieceMessage | PieceRequest, begin: (call: number, stream: AnswerStream) => void): void {
    const { call } = message;
    switch (message.type) {
      case 'stream': {
        const stream = new AnswerStream(message.head, {
          ask: (count) => this.#tell({ type: 'morePieces', call, count }),
          cancel: () => this.#tell({ type: 'endPieces', call }),
        });
        this.#taken.set(call, stream);
        begin(call, stream);
        return;
      }
      case 'piece':
        this.#taken.get(call)?.push(message.value);
        return;
      case 'streamEnd':
        this.#taken.get(call)?.sourceEnded(message.error && fromPlainError(message.error));
        this.#taken.delete(call);
        return;
      case 'morePieces':
        this.#made.get(call)?.ask(message.count);
        return;
      case 'endPieces':
        this.cancel(call);
    }
  }

  /** The other end is gone. */
  close(error: Error): void {
    for (const sender of this.#made.values()) sender.cancel();
    this.#made.clear();
    for (const stream of this.#taken.values()) stream.sourceEnded(error);
    this.#taken.clear();
  }
}
