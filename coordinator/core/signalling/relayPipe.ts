// One direction of a relayed link. A reader that is slower than its writer stops the writer's socket, and so does a writer
// that has had its share, so that the coordinator never holds more than a few MiB for it.

import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import type { RelayAccount } from './relayAccount.ts';

const HIGH_WATER_BYTES = 4 * 1024 * 1024;
const LOW_WATER_BYTES = 1024 * 1024;

export class RelayPipe {
  readonly #from: WebSocket;
  readonly #account: RelayAccount;
  readonly #clock: Clock;
  #queuedBytes = 0;
  #cancelPause: (() => void) | undefined;
  #isOver = false;
  #passedAtMs: number;
  #progressAtMs: number;

  /** @param account of the worker that writes, which pays for what waits. */
  constructor(from: WebSocket, to: WebSocket, account: RelayAccount, clock: Clock) {
    this.#from = from;
    this.#account = account;
    this.#clock = clock;
    this.#passedAtMs = this.#progressAtMs = clock.now();
    from.on('message', (data: RawData, isBinary: boolean) => {
      if (this.#isOver || to.readyState !== to.OPEN) return;
      const message = data as Buffer;
      this.#hold(message.length);
      to.send(message, { binary: isBinary }, () => this.#release(message.length));
    });
    from.once('close', (_code, reason) =>
      to.close(1000, reason.length > 0 ? reason : 'the far side closed it'),
    );
  }

  /** When the last message came. */
  get passedAtMs(): number {
    return this.#passedAtMs;
  }

  /** Since when the reader has taken nothing of what waits for it; Infinity when nothing waits. */
  get stuckSinceMs(): number {
    return this.#queuedBytes === 0 ? Infinity : this.#progressAtMs;
  }

  /** Nothing more passes, and what waited counts no more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelPause?.();
    this.#account.release(this.#queuedBytes);
    this.#queuedBytes = 0;
    // A paused socket does not hear that its other end is closed.
    this.#from.resume();
  }

  #hold(bytes: number): void {
    const now = this.#clock.now();
    this.#passedAtMs = now;
    if (this.#queuedBytes === 0) this.#progressAtMs = now;
    this.#queuedBytes += bytes;
    const pauseMs = this.#account.hold(bytes, now);
    if (this.#isOver) return;
    if (pauseMs > 0) {
      this.#cancelPause?.();
      this.#cancelPause = this.#clock.after(pauseMs, () => {
        this.#cancelPause = undefined;
        this.#resume();
      });
    }
    if (pauseMs > 0 || this.#queuedBytes > HIGH_WATER_BYTES || !this.#account.hasRoom) this.#from.pause();
  }

  #release(bytes: number): void {
    if (this.#isOver) return;
    this.#progressAtMs = this.#clock.now();
    this.#queuedBytes -= bytes;
    this.#account.release(bytes);
    this.#resume();
  }

  /** Where a worker has used its share up by other pipes, this one goes on message by message. */
  #resume(): void {
    if (!this.#from.isPaused || this.#cancelPause) return;
    const enough = this.#account.hasRoom ? LOW_WATER_BYTES : 0;
    if (this.#queuedBytes <= enough) this.#from.resume();
  }
}
