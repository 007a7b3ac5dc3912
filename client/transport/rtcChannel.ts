// A raw channel over an RTCDataChannel, wherever that lives: in Node, in Deno, on a page, or transferred into a worker.

import { ChannelLife } from './channelLife.ts';
import { deferred } from '../../shared/deferred.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { ChannelTerms, RawChannel } from './peerEndpoint.ts';

/**
 * Bytes handed to the channel above which the sender waits, and below which it goes on. Enough that the transport never
 * runs dry between two events, little enough that Chromium's 16 MiB send buffer is never near.
 */
const HIGH_WATER_BYTES = 2 * 1024 * 1024;
const LOW_WATER_BYTES = 512 * 1024;

/** The connection under a data channel. */
export interface ChannelCarrier {
  /** Resolves once both ends have announced theirs and certificates are checked. */
  readonly terms: Promise<ChannelTerms>;
  /** Resolves with the reason when the connection failed or was closed. */
  readonly ended: Promise<string>;
  close(): void;
}

export class RtcChannel implements RawChannel {
  readonly opened: Promise<ChannelTerms>;
  readonly closed: Promise<string>;
  readonly #channel: RTCDataChannel;
  readonly #life: ChannelLife;

  constructor(channel: RTCDataChannel, carrier: ChannelCarrier) {
    this.#channel = channel;
    this.#life = new ChannelLife(() => {
      channel.close();
      carrier.close();
    });
    this.opened = this.#life.opened;
    this.closed = this.#life.closed;
    const open = deferred<void>();
    void Promise.all([carrier.terms, open.promise]).then(
      ([terms]) => this.#life.open(terms),
      (error: unknown) => this.#life.end(messageOf(error)),
    );
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
    channel.addEventListener('open', () => open.resolve());
    channel.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(event.data));
    channel.addEventListener('bufferedamountlow', () => this.#life.release());
    channel.addEventListener('close', () => this.#life.end('the far side closed it'));
    if (channel.readyState === 'open') open.resolve();
    void carrier.ended.then((reason) => this.#life.end(reason));
  }

  send(message: Uint8Array | string): void {
    if (this.#life.isOver) throw new Error('the channel is closed');
    if (typeof message === 'string') this.#channel.send(message);
    else this.#channel.send(message as Uint8Array<ArrayBuffer>);
  }

  room(): Promise<void> | undefined {
    return this.#life.room(this.#channel.bufferedAmount > HIGH_WATER_BYTES);
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#life.onMessage(receive);
  }

  close(reason: string): void {
    this.#life.end(reason);
  }

  #receive(data: unknown): void {
    const message = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (typeof message === 'string' || message instanceof Uint8Array) this.#life.take(message);
  }
}
