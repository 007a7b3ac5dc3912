// What every raw channel goes through, whatever carries it: it opens or does not, messages wait for a receiver, senders
// wait for room, and it ends once, with a reason.

import { deferred, type Deferred } from '../../shared/deferred.ts';
import { MessageQueue } from './messageQueue.ts';
import type { ChannelTerms } from './peerEndpoint.ts';

/**
 * The sender has not proved who it is as long as there is no reader: a greeting is all that has to wait. (A link's own queue is
 * larger.)
 */
const MAX_UNREAD_BYTES = 256 * 1024;

export class ChannelLife {
  readonly opened: Promise<ChannelTerms>;
  readonly closed: Promise<string>;
  readonly #opened = deferred<ChannelTerms>();
  readonly #closed = deferred<string>();
  readonly #inbox = new MessageQueue<Uint8Array | string>(MAX_UNREAD_BYTES);
  readonly #letGo: (reason: string) => void;
  #waiting: Deferred<void> | undefined;
  #over = false;

  /** @param letGo Drops what is below; called once, when the channel ends. */
  constructor(letGo: (reason: string) => void) {
    this.#letGo = letGo;
    this.opened = this.#opened.promise;
    // A failure is seen where `opened` is awaited, if it is.
    this.opened.catch(() => undefined);
    this.closed = this.#closed.promise;
  }

  get isOver(): boolean {
    return this.#over;
  }

  open(terms: ChannelTerms): void {
    this.#opened.resolve(terms);
  }

  /** Hands a message to the receiver. Ends the channel when there is no reader and the queue is full. */
  take(message: Uint8Array | string): void {
    if (this.#over || this.#inbox.push(message)) return;
    this.end('more messages than the queue holds arrived unread');
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#inbox.onMessage(receive);
  }

  /** Undefined while there is room; otherwise resolves with the next `release`, or when the channel ends. */
  room(isFull: boolean): Promise<void> | undefined {
    if (this.#over || !isFull) return undefined;
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  /** There is room again. */
  release(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#opened.reject(new Error(reason));
    this.release();
    this.#closed.resolve(reason);
    this.#letGo(reason);
  }
}
