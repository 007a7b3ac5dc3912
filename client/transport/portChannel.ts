// A raw channel through a MessagePort: how a compute worker uses a data channel that its browser can't transfer. The
// page bridges it to the real one; buffers are moved, not copied, on the way over.

import { deferred, type Deferred } from './deferred.ts';
import { MessageQueue } from './messageQueue.ts';
import type { RawChannel } from './peerEndpoint.ts';

/** Bytes given to the page, and not yet taken by the data channel, above which the sender waits. */
const HIGH_WATER_BYTES = 1024 * 1024;

type PortMessage =
  | { readonly type: 'open'; readonly maxMessageBytes: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly buffer: ArrayBuffer }
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'close'; readonly reason: string };

export class PortChannel implements RawChannel {
  readonly opened: Promise<{ readonly maxMessageBytes: number }>;
  readonly closed: Promise<string>;
  readonly #port: MessagePort;
  readonly #inbox = new MessageQueue<Uint8Array | string>();
  readonly #opened = deferred<{ readonly maxMessageBytes: number }>();
  readonly #closed = deferred<string>();
  #over = false;
  #underWayBytes = 0;
  #waiting: Deferred<void> | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    this.opened = this.#opened.promise;
    this.opened.catch(() => undefined);
    this.closed = this.#closed.promise;
    port.onmessage = (event: MessageEvent<PortMessage>) => this.#receive(event.data);
  }

  send(message: Uint8Array | string): void {
    if (this.#over) throw new Error('the channel is closed');
    if (typeof message === 'string') {
      this.#port.postMessage({ type: 'text', text: message } satisfies PortMessage);
      return;
    }
    this.#underWayBytes += message.length;
    postBytes(this.#port, message);
  }

  room(): Promise<void> | undefined {
    if (this.#over || this.#underWayBytes <= HIGH_WATER_BYTES) return undefined;
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void {
    this.#inbox.onMessage(receive);
  }

  close(reason: string): void {
    if (this.#over) return;
    this.#port.postMessage({ type: 'close', reason } satisfies PortMessage);
    this.#end(reason);
  }

  #receive(message: PortMessage): void {
    if (this.#over) return;
    switch (message.type) {
      case 'open':
        this.#opened.resolve({ maxMessageBytes: message.maxMessageBytes });
        return;
      case 'text':
      case 'bytes':
        if (!this.#inbox.push(message.type === 'text' ? message.text : new Uint8Array(message.buffer))) {
          this.close('more messages than the queue holds arrived unread');
        }
        return;
      case 'taken':
        this.#underWayBytes -= message.bytes;
        if (this.#underWayBytes <= HIGH_WATER_BYTES) this.#release();
        return;
      case 'close':
        this.#end(message.reason);
    }
  }

  #release(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #end(reason: string): void {
    this.#over = true;
    this.#opened.reject(new Error(reason));
    this.#release();
    this.#closed.resolve(reason);
    this.#port.close();
  }
}

/** The page's side: passes everything between the real channel and the port until either is closed. */
export function bridgeChannel(channel: RawChannel, port: MessagePort): void {
  const post = (message: PortMessage): void => port.postMessage(message);
  channel.opened
    .then(({ maxMessageBytes }) => post({ type: 'open', maxMessageBytes }))
    .catch(() => undefined);
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
