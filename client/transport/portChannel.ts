// A raw channel through a MessagePort: how a compute worker uses a data channel that its browser can't transfer. The
// page bridges it to the real one; buffers are moved, not copied, on the way over.

import { ChannelLife } from './channelLife.ts';
import type { ChannelTerms, RawChannel } from './peerEndpoint.ts';

/** Bytes given to the page, and not yet taken by the data channel, above which the sender waits. */
const HIGH_WATER_BYTES = 1024 * 1024;

type PortMessage =
  | { readonly type: 'open'; readonly terms: ChannelTerms }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly buffer: ArrayBuffer }
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'close'; readonly reason: string };

export class PortChannel implements RawChannel {
  readonly opened: Promise<ChannelTerms>;
  readonly closed: Promise<string>;
  readonly #port: MessagePort;
  readonly #life: ChannelLife;
  #underWayBytes = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#life = new ChannelLife((reason) => {
      port.postMessage({ type: 'close', reason } satisfies PortMessage);
      port.close();
    });
    this.opened = this.#life.opened;
    this.closed = this.#life.closed;
    port.onmessage = (event: MessageEvent<PortMessage>) => this.#receive(event.data);
  }

  send(message: Uint8Array | string): void {
    if (this.#life.isOver) throw new Error('the channel is closed');
    if (typeof message === 'string') {
      this.#port.postMessage({ type: 'text', text: message } satisfies PortMessage);
      return;
    }
    this.#underWayBytes += message.length;
    postBytes(this.#port, message);
  }

  room(): Promise<void> | undefined {
    return this.#life.room(this.#underWayBytes > HIGH_WATER_BYTES);
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#life.onMessage(receive);
  }

  close(reason: string): void {
    this.#life.end(reason);
  }

  #receive(message: PortMessage): void {
    if (this.#life.isOver) return;
    switch (message.type) {
      case 'open':
        this.#life.open(message.terms);
        return;
      case 'text':
        this.#life.take(message.text);
        return;
      case 'bytes':
        this.#life.take(new Uint8Array(message.buffer));
        return;
      case 'taken':
        this.#underWayBytes -= message.bytes;
        if (this.#underWayBytes <= HIGH_WATER_BYTES) this.#life.release();
        return;
      case 'close':
        this.#life.end(message.reason);
    }
  }
}

/** The page's side: passes everything between the real channel and the port until either is closed. */
export function bridgeChannel(channel: RawChannel, port: MessagePort): void {
  const post = (message: PortMessage): void => port.postMessage(message);
  channel.opened.then((terms) => post({ type: 'open', terms })).catch(() => undefined);
  channel.onMessage((message) => {
    if (typeof message === 'string') post({ type: 'text', text: message });
    else postBytes(port, message);
  });
  void channel.closed.then((reason) => {
    post({ type: 'close', reason });
    port.close();
  });
  port.onmessage = (event: MessageEvent<PortMessage>) => {
    const message = event.data;
    if (message.type === 'close') channel.close(message.reason);
    else if (message.type === 'text' || message.type === 'bytes') void forward(channel, message, post);
  };
}

async function forward(
  channel: RawChannel,
  message: Extract<PortMessage, { type: 'text' | 'bytes' }>,
  post: (message: PortMessage) => void,
): Promise<void> {
  try {
    channel.send(message.type === 'text' ? message.text : new Uint8Array(message.buffer));
  } catch (error) {
    channel.close(String(error));
    return;
  }
  if (message.type === 'text') return;
  await channel.room();
  post({ type: 'taken', bytes: message.buffer.byteLength });
}

function postBytes(port: MessagePort, bytes: Uint8Array): void {
  const buffer = bytes.slice().buffer;
  port.postMessage({ type: 'bytes', buffer } satisfies PortMessage, [buffer]);
}
