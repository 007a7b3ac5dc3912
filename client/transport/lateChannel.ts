// A raw channel that is being made elsewhere: behaves as one that is not open yet until the real one arrives.

import { deferred } from '../../shared/deferred.ts';
import type { ChannelTerms, RawChannel } from './peerEndpoint.ts';

export class LateChannel implements RawChannel {
  readonly opened: Promise<ChannelTerms>;
  readonly closed: Promise<string>;
  readonly #arrived = deferred<RawChannel>();
  readonly #closed = deferred<string>();
  readonly #drop: () => void;
  #channel: RawChannel | undefined;
  #receive: ((message: Uint8Array | string) => void) | undefined;
  #over = false;

  /** @param drop Stops the making of the real channel. */
  constructor(drop: () => void) {
    this.#drop = drop;
    this.opened = this.#arrived.promise.then((channel) => channel.opened);
    this.opened.catch(() => undefined);
    this.closed = this.#closed.promise;
  }

  arrive(channel: RawChannel): void {
    if (this.#over) {
      channel.close('it was given up');
      return;
    }
    this.#channel = channel;
    channel.onMessage(this.#receive);
    void channel.closed.then((reason) => this.fail(reason));
    this.#arrived.resolve(channel);
  }

  fail(reason: string): void {
    this.#over = true;
    this.#arrived.reject(new Error(reason));
    this.#closed.resolve(reason);
  }

  send(message: Uint8Array | string): void {
    if (!this.#channel) throw new Error('the channel is not open');
    this.#channel.send(message);
  }

  room(): Promise<void> | undefined {
    return this.#channel?.room();
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#receive = receive;
    this.#channel?.onMessage(receive);
  }

  close(reason: string): void {
    if (this.#channel) this.#channel.close(reason);
    else this.#drop();
    this.fail(reason);
  }
}
