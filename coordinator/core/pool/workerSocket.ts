// One control socket with its limits: how fast and how much may come, how long it may be silent, how much may wait to be
// sent. What it reports is clean: nothing after it closed, closed exactly once.

import type { CoordinatorMessage } from '../../../shared/protocol/control.ts';
import { MAX_SHORT_MESSAGE_BYTES } from '../../../shared/protocol/workerMessageBytes.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { ByteBudget, HeldBytes } from '../../bounds/byteBudget.ts';
import { addressShare } from '../../bounds/addressShares.ts';
import type { ConnectionEvents, ControlConnection } from './controlConnection.ts';
import { TokenBucket } from './rateLimit.ts';
import type { RateLimit } from './rateLimit.ts';

export interface WorkerSocketOptions {
  readonly clock: Clock;
  readonly pingIntervalMs: number;
  readonly messageRate?: RateLimit | undefined;
  readonly byteRate?: RateLimit | undefined;
  /** Of what waits to be sent to all workers. */
  readonly outgoing: ByteBudget;
}

export interface WorkerSocketEvents {
  /** Longest message that the worker at the other end may send now. */
  maxMessageBytes(): number;
  message(text: string): void;
  /** More came than is accepted; the message is not delivered. */
  limited(why: string): void;
  /** A ping was answered. */
  alive(roundTripMs: number): void;
  /** No sign of life for too long; the socket is about to be dropped. */
  silent(silentMs: number): void;
  closed(code: number, reason: string): void;
}

/** Three rounds in a row on a tiny dataset take less than a millisecond; ten times that is a defect or an attack. */
const MESSAGE_RATE: RateLimit = { perSecond: 10_000, burst: 20_000 };
const BYTE_RATE: RateLimit = { perSecond: 32 * 1024 * 1024, burst: 64 * 1024 * 1024 };
/** Who works for no run has little to say: each of its bytes counts for as many. */
const IDLE_BYTE_COST = 32;
const MALFORMED_RATE: RateLimit = { perSecond: 0.1, burst: 20 };
/** A worker that takes this little from its socket is as good as gone. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;
/** Missed pings before the socket counts as dead. */
const SILENT_INTERVALS = 3;
/** How long the other end may take to answer a close. */
const CLOSE_TIMEOUT_MS = 5_000;

/** RFC 6455: no status code was received. */
const NO_STATUS = 1006;

export class WorkerSocket implements ConnectionEvents {
  readonly pingIntervalMs: number;
  readonly remoteAddress: string;
  readonly #connection: ControlConnection;
  readonly #clock: Clock;
  readonly #events: WorkerSocketEvents;
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #malformed: TokenBucket;
  readonly #waitingBytes: HeldBytes;
  #cancelTimer: () => void = () => undefined;
  #heardAtMs: number;
  #pingedAtMs: number | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #roundTripMs: number | undefined;
  #welcomed = false;
  #open = true;

  constructor(connection: ControlConnection, options: WorkerSocketOptions, events: WorkerSocketEvents) {
    const { clock, pingIntervalMs, messageRate = MESSAGE_RATE, byteRate = BYTE_RATE } = options;
    const now = clock.now();
    this.pingIntervalMs = pingIntervalMs;
    this.remoteAddress = connection.remoteAddress;
    this.#connection = connection;
    this.#clock = clock;
    this.#events = events;
    this.#messages = new TokenBucket(messageRate, now);
    this.#bytes = new TokenBucket(byteRate, now);
    this.#malformed = new TokenBucket(MALFORMED_RATE, now);
    this.#heardAtMs = now;
    const overBudget = (): void => this.#drop('does not take what is sent, and others wait');
    this.#waitingBytes = options.outgoing.open(addressShare(connection.remoteAddress), overBudget);
  }

  get hasJoined(): boolean {
    return this.#welcomed;
  }

  get maxMessageBytes(): number {
    if (!this.#open) return 0;
    return this.#welcomed ? this.#events.maxMessageBytes() : MAX_SHORT_MESSAGE_BYTES;
  }

  /** When anything was last heard from the other end. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Characters of messages in both directions; nearly all of them take a byte. */
  get traffic(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes };
  }

  /** Bytes that were sent and the worker has not taken. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  send(message: CoordinatorMessage): boolean {
    if (!this.#open) return false;
    const text = JSON.stringify(message);
    this.#sentBytes += text.length;
    this.#connection.send(text);
    const { bufferedBytes } = this.#connection;
    this.#waitingBytes.set(bufferedBytes);
    if (bufferedBytes > MAX_BUFFERED_BYTES) this.#drop('does not take what is sent');
    return this.#open;
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    // RFC 6455 limits the reason to 123 bytes.
    this.#connection.close(code, reason.slice(0, 40));
    this.#end(code, reason);
    this.#cancelTimer = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#connection.terminate());
  }

  /** Calls back once unless startPinging is called before. */
  expectWithin(timeoutMs: number, late: () => void): void {
    this.#cancelTimer = this.#clock.after(timeoutMs, late);
  }

  /** The other end is known from now on: it is pinged, and dropped when it stays silent. */
  startPinging(): void {
    this.#welcomed = true;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(this.pingIntervalMs, () => this.#beat());
  }

  /** Counts a malformed message; false when there were too many. */
  forgiveMalformed(): boolean {
    return this.#malformed.take(1, this.#clock.now());
  }

  /** A message had further ones in it, which count as much. @returns false when that was too many. */
  countFurther(messages: number): boolean {
    if (this.#messages.take(messages, this.#clock.now())) return true;
    this.#events.limited('Too many control messages a second.');
    return false;
  }

  message(text: string): void {
    if (!this.#open) return;
    const now = this.#clock.now();
    this.#heardAtMs = now;
    this.#receivedBytes += text.length;
    if (!this.#welcomed && text.length > MAX_SHORT_MESSAGE_BYTES) {
      return this.#events.limited(
        `A hello may have ${MAX_SHORT_MESSAGE_BYTES} characters, this one has ${text.length}.`,
      );
    }
    if (!this.#messages.take(1, now)) return this.#events.limited('Too many control messages a second.');
    const isIdle = this.maxMessageBytes <= MAX_SHORT_MESSAGE_BYTES;
    if (!this.#bytes.take(text.length * (isIdle ? IDLE_BYTE_COST : 1), now))
      return this.#events.limited('Too many bytes a second.');
    this.#events.message(text);
  }

  pong(): void {
    this.#heardAtMs = this.#clock.now();
    if (this.#pingedAtMs === undefined) return;
    this.#roundTripMs = this.#heardAtMs - this.#pingedAtMs;
    this.#pingedAtMs = undefined;
    if (this.#open) this.#events.alive(this.#roundTripMs);
  }

  closed(code: number, reason: string): void {
    this.#cancelTimer();
    this.#end(code, reason);
  }

  #beat(): void {
    const now = this.#clock.now();
    const silentMs = now - this.#heardAtMs;
    if (silentMs >= this.pingIntervalMs * SILENT_INTERVALS) {
      this.#events.silent(silentMs);
      return this.#drop('silent');
    }
    this.#pingedAtMs = now;
    this.#connection.ping();
    // Pages can't see pings of the WebSocket itself, and must know that the coordinator is there.
    const roundTripMs = this.#roundTripMs;
    this.send({ type: 'ping', at: now, ...(roundTripMs !== undefined && { roundTripMs }) });
    if (this.#open) this.#cancelTimer = this.#clock.after(this.pingIntervalMs, () => this.#beat());
  }

  #drop(reason: string): void {
    this.#connection.terminate();
    this.closed(NO_STATUS, reason);
  }

  #end(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cancelTimer();
    this.#waitingBytes.release();
    this.#events.closed(code, reason);
  }
}
