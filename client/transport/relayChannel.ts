// A raw channel through the coordinator, for two peers that can't reach each other. One WebSocket per link and end; the
// relay joins the two that name each other. WebSockets have no event for a drained buffer, so the receiver says how
// much it has taken, which also bounds what can wait anywhere on the way.

import { MAX_FRAME_BYTES } from '../../shared/wire/frame.ts';
import { ChannelLife } from './channelLife.ts';
import type { ChannelTerms, RawChannel } from './peerEndpoint.ts';
import { socketUrl } from './socketUrl.ts';

/** Bytes under way above which the sender waits, and below which it goes on. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024;
const LOW_WATER_BYTES = 1024 * 1024;
/** The receiver reports each time it has taken this much more. */
const REPORT_EVERY_BYTES = 256 * 1024;

/** The relay stands between the ends by design, so that neither can tell the other's connection. */
const RELAY_TERMS: ChannelTerms = { maxMessageBytes: MAX_FRAME_BYTES, ends: { own: 'relay', far: 'relay' } };

export interface RelayOptions {
  /** Base URL of the coordinator without a slash at its end, e.g. http://127.0.0.1:7070. */
  readonly coordinatorUrl: string;
  readonly workerId: string;
  /** The secret of the welcome. */
  readonly token: string;
  /** Default: the global WebSocket. Node 20 has none. */
  readonly openSocket?: (url: string) => WebSocket;
}

/** Opens this worker's half of a relayed channel. */
export type OpenRelay = (peer: string, group: string) => RawChannel;

export function relayOpener(options: RelayOptions): OpenRelay {
  const url = socketUrl(options.coordinatorUrl, '/relay');
  const open = options.openSocket ?? ((address: string) => new WebSocket(address));
  return (peer, group) =>
    new RelayChannel(open(url), { worker: options.workerId, token: options.token, peer, group });
}

class RelayChannel implements RawChannel {
  readonly opened: Promise<ChannelTerms>;
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;
  readonly #life: ChannelLife;
  #joined = false;
  #underWayBytes = 0;
  #unreportedBytes = 0;

  constructor(socket: WebSocket, join: { worker: string; token: string; peer: string; group: string }) {
    this.#socket = socket;
    this.#life = new ChannelLife(() => socket.close());
    this.opened = this.#life.opened;
    this.closed = this.#life.closed;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(JSON.stringify({ type: 'join', ...join }));
    socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    socket.onerror = () => this.#life.end('the relay could not be reached');
    socket.onclose = (event) => this.#life.end(event.reason || 'the relay closed the connection');
  }

  send(message: Uint8Array | string): void {
    if (this.#life.isOver || !this.#joined) throw new Error('the relay is not connected');
    if (typeof message === 'string') {
      this.#socket.send(message);
      return;
    }
    this.#underWayBytes += message.length;
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
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

  #receive(data: unknown): void {
    if (this.#life.isOver) return;
    if (typeof data === 'string') {
      if (!this.#control(data)) this.#life.take(data);
      return;
    }
    if (!(data instanceof ArrayBuffer)) return;
    this.#life.take(new Uint8Array(data));
    this.#unreportedBytes += data.byteLength;
    if (this.#unreportedBytes < REPORT_EVERY_BYTES || this.#life.isOver) return;
    this.#socket.send(JSON.stringify({ type: 'taken', bytes: this.#unreportedBytes }));
    this.#unreportedBytes = 0;
  }

  /** @returns Whether the text was the relay's or its flow control's, and not the link's. */
  #control(text: string): boolean {
    if (text === '{"type":"joined"}') {
      this.#joined = true;
      this.#life.open(RELAY_TERMS);
      return true;
    }
    const taken = /^\{"type":"taken","bytes":(\d{1,10})\}$/.exec(text);
    if (!taken) return false;
    this.#underWayBytes = Math.max(0, this.#underWayBytes - Number(taken[1]));
    if (this.#underWayBytes <= LOW_WATER_BYTES) this.#life.release();
    return true;
  }
}
