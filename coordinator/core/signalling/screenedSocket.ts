// A socket of the signalling server as the package `peer` gets to see it: what comes through is well-formed, from a worker
// to one that it may meet and that is there, and no more than a worker may say. So `peer` never queues anything.

import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { TokenBucket, type RateLimit } from '../pool/rateLimit.ts';
import { dismissSocket } from './dismissSocket.ts';
import { readSignal, type Signal } from './signal.ts';

/** A group of hundreds is introduced at once, with an offer and a dozen candidates a pair; afterwards hardly anything. */
const MESSAGE_RATE: RateLimit = { perSecond: 200, burst: 5_000 };
const BYTE_RATE: RateLimit = { perSecond: 256 * 1024, burst: 8 * 1024 * 1024 };
const MALFORMED_RATE: RateLimit = { perSecond: 0.1, burst: 20 };
const SOCKET_RATE: RateLimit = { perSecond: 1, burst: 20 };
/** Who has so much unread is as good as gone, and can dial again. */
const MAX_UNREAD_BYTES = 512 * 1024;

/** What one worker may do, over all its sockets. */
export class SignallingAllowance {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly malformed: TokenBucket;
  readonly sockets: TokenBucket;

  constructor(nowMs: number) {
    this.messages = new TokenBucket(MESSAGE_RATE, nowMs);
    this.bytes = new TokenBucket(BYTE_RATE, nowMs);
    this.malformed = new TokenBucket(MALFORMED_RATE, nowMs);
    this.sockets = new TokenBucket(SOCKET_RATE, nowMs);
  }
}

export interface ScreenedSocketOptions {
  readonly allowance: SignallingAllowance;
  readonly clock: Clock;
  /** Whether this message to another worker may pass. */
  readonly admit: (signal: Exclude<Signal, { type: 'HEARTBEAT' }>) => boolean;
  /** Told once, as soon as nothing more is sent here. */
  readonly onGone: () => void;
}

export class ScreenedSocket extends EventEmitter {
  readonly #socket: WebSocket;
  readonly #options: ScreenedSocketOptions;
  #cancelPause: () => void = () => undefined;
  #isGone = false;

  constructor(socket: WebSocket, options: ScreenedSocketOptions) {
    super();
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', (error) => this.emit('error', error));
    socket.on('close', () => {
      this.#leave();
      this.emit('close');
    });
  }

  send(text: string): void {
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) this.terminate();
  }

  close(): void {
    this.#leave();
    dismissSocket(this.#socket);
  }

  terminate(): void {
    this.#leave();
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isGone) return;
    const bytes = data as Buffer;
    this.#spend(bytes.length);
    const signal = isBinary ? undefined : readSignal(bytes.toString('utf8'));
    if (!signal) {
      const { allowance, clock } = this.#options;
      if (!allowance.malformed.take(1, clock.now())) this.close();
      return;
    }
    if (signal.type === 'HEARTBEAT' || this.#options.admit(signal))
      this.emit('message', JSON.stringify(signal));
  }

  /** Reads no more from who has said too much until that is made up for. */
  #spend(byteCount: number): void {
    const { allowance, clock } = this.#options;
    const now = clock.now();
    const pauseMs = Math.max(allowance.messages.borrow(1, now), allowance.bytes.borrow(byteCount, now));
    if (pauseMs === 0) return;
    this.#cancelPause();
    this.#socket.pause();
    this.#cancelPause = clock.after(pauseMs, () => this.#socket.resume());
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelPause();
    // A paused socket would never hear that its other end is gone.
    this.#socket.resume();
    this.#options.onGone();
  }
}
