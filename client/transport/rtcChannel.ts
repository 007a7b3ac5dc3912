// A raw channel over an RTCDataChannel, wherever that lives: in Node, in Deno, on a page, or transferred into a worker.

import { deferred, type Deferred } from './deferred.ts';
import { MessageQueue } from './messageQueue.ts';
import type { RawChannel } from './peerEndpoint.ts';

/**
 * Bytes handed to the channel above which the sender waits, and below which it goes on. Enough that the transport never
 * runs dry between two events, little enough that Chromium's 16 MiB send buffer is never near.
 */
const HIGH_WATER_BYTES = 2 * 1024 * 1024;
const LOW_WATER_BYTES = 512 * 1024;

/** The connection under a data channel. */
export interface ChannelCarrier {
  /** Resolves with the largest message both ends announced (a=max-message-size), once they have. */
  readonly maxMessageBytes: Promise<number>;
  /** Resolves with the reason when the connection failed or was closed. */
  readonly ended: Promise<string>;
  close(): void;
}

export class RtcChannel implements RawChannel {
  readonly opened: Promise<{ readonly maxMessageBytes: number }>;
  readonly closed: Promise<string>;
  readonly #channel: RTCDataChannel;
  readonly #carrier: ChannelCarrier;
  readonly #inbox = new MessageQueue<Uint8Array | string>();
  readonly #open = deferred<void>();
  readonly #closed = deferred<string>();
  #over = false;
  #waiting: Deferred<void> | undefined;

  constructor(channel: RTCDataChannel, carrier: ChannelCarrier) {
    this.#channel = channel;
    this.#carrier = carrier;
    this.closed = this.#closed.promise;
    this.opened = Promise.all([carrier.maxMessageBytes, this.#open.promise]).then(([maxMessageBytes]) => ({
      maxMessageBytes,
    }));
    // Whoever awaits `opened` sees the failure; nobody has to.
    this.opened.catch(() => undefined);
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
    channel.addEventListener('open', () => this.#open.resolve());
    channel.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(event.data));
    channel.addEventListener('bufferedamountlow', () => this.#release());
    channel.addEventListener('close', () => this.#end('the far side closed it'));
    if (channel.readyState === 'open') this.#open.resolve();
    void carrier.ended.then((reason) => this.#end(reason));
  }

  send(message: Uint8Array | string): void {
    if (this.#over) throw new Error('the channel is closed');
    if (typeof message === 'string') this.#channel.send(message);
    else this.#channel.send(message as Uint8Array<ArrayBuffer>);
  }

  room(): Promise<void> | undefined {
    if (this.#over || this.#channel.bufferedAmount <= HIGH_WATER_BYTES) return undefined;
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#inbox.onMessage(receive);
  }

  close(reason: string): void {
    this.#end(reason);
  }

  #receive(data: unknown): void {
    if (this.#over) return;
    const message = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (typeof message !== 'string' && !(message instanceof Uint8Array)) return;
    if (!this.#inbox.push(message)) this.#end('more messages than the queue holds arrived unread');
  }

  #release(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#open.reject(new Error(reason));
    this.#release();
    this.#closed.resolve(reason);
    this.#channel.close();
    this.#carrier.close();
  }
}
