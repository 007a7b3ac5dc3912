// The relayed links that are up: watched, so that none outlives its two workers, and bounded in what all of them hold together.

import type { WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import { dismissSocket } from './dismissSocket.ts';
import { RelayAccount, type RelayLimits } from './relayAccount.ts';
import { RelayPipe } from './relayPipe.ts';

export interface LinkEnd {
  readonly worker: string;
  readonly socket: WebSocket;
}

interface RelayedLink {
  readonly ends: readonly [LinkEnd, LinkEnd];
  readonly pipes: readonly RelayPipe[];
}

export class RelayLinks {
  /** Payload bytes passed on since the start. */
  bytesRelayed = 0;
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #mayMeet: (one: string, other: string) => boolean;
  readonly #accounts = new Map<string, RelayAccount>();
  readonly #links = new Set<RelayedLink>();
  /** Links of which one end is closed and the other may still be reading. */
  readonly #closing = new Set<RelayedLink>();
  #waitingBytes = 0;
  #cancelSweep: (() => void) | undefined;

  constructor(limits: RelayLimits, clock: Clock, mayMeet: (one: string, other: string) => boolean) {
    this.#limits = limits;
    this.#clock = clock;
    this.#mayMeet = mayMeet;
  }

  get size(): number {
    return this.#links.size;
  }

  accountOf(worker: string): RelayAccount {
    const known = this.#accounts.get(worker);
    if (known) return known;
    const account = new RelayAccount(
      this.#limits,
      this.#clock.now(),
      () => this.#waitingBytes < this.#limits.waitingBytes,
      (bytes) => this.#account(bytes),
    );
    this.#accounts.set(worker, account);
    return account;
  }

  /** Payload bytes that the worker sent since it joined. */
  sentBytes(worker: string): number {
    return this.#accounts.get(worker)?.sentBytes ?? 0;
  }

  /** Passes on what either end sends until one of them closes. */
  connect(a: LinkEnd, b: LinkEnd): void {
    const pipe = (from: LinkEnd, to: LinkEnd): RelayPipe =>
      new RelayPipe(from.socket, to.socket, this.accountOf(from.worker), this.#clock);
    const link: RelayedLink = { ends: [a, b], pipes: [pipe(a, b), pipe(b, a)] };
    this.#links.add(link);
    for (const [at, { socket }] of link.ends.entries()) {
      socket.once('close', () => {
        // The reader of what the other end wrote has gone.
        link.pipes[1 - at]?.end();
        if (this.#links.delete(link)) this.#closing.add(link);
        else this.#closing.delete(link);
      });
    }
    this.#cancelSweep ??= this.#planSweep();
  }

  /** The worker is gone for good. */
  drop(worker: string): void {
    this.#accounts.delete(worker);
    for (const link of this.#links) {
      if (link.ends.some((end) => end.worker === worker)) this.#close(link, `worker ${worker} is gone`);
    }
  }

  close(): void {
    this.#cancelSweep?.();
    for (const link of [...this.#links, ...this.#closing]) this.#end(link);
  }

  #account(bytes: number): void {
    if (bytes > 0) this.bytesRelayed += bytes;
    this.#waitingBytes += bytes;
    while (this.#waitingBytes > 2 * this.#limits.waitingBytes) {
      const stuckSince = (link: RelayedLink): number =>
        Math.min(...link.pipes.map(({ stuckSinceMs }) => stuckSinceMs));
      const [worst, ...others] = [...this.#links, ...this.#closing];
      if (!worst) return;
      this.#cut(others.reduce((one, other) => (stuckSince(other) < stuckSince(one) ? other : one), worst));
    }
  }

  #planSweep(): () => void {
    const { idleMs, stuckMs } = this.#limits;
    return this.#clock.after(Math.min(idleMs, stuckMs) / 4, () => {
      this.#sweep();
      this.#cancelSweep = this.#links.size + this.#closing.size > 0 ? this.#planSweep() : undefined;
    });
  }

  #sweep(): void {
    const { idleMs, stuckMs } = this.#limits;
    const now = this.#clock.now();
    for (const link of [...this.#links, ...this.#closing]) {
      if (link.pipes.some((pipe) => now - pipe.stuckSinceMs >= stuckMs)) this.#cut(link);
    }
    for (const link of this.#links) {
      const [a, b] = link.ends;
      const passedAtMs = Math.max(...link.pipes.map((pipe) => pipe.passedAtMs));
      if (!this.#mayMeet(a.worker, b.worker)) this.#close(link, 'the two share no group any more');
      else if (now - passedAtMs >= idleMs) this.#close(link, `nothing passed for ${idleMs} ms`);
    }
  }

  /** Drops it without a goodbye: who does not read would not hear it. */
  #cut(link: RelayedLink): void {
    this.#end(link);
    for (const { socket } of link.ends) socket.terminate();
  }

  #close(link: RelayedLink, reason: string): void {
    this.#end(link);
    for (const { socket } of link.ends) dismissSocket(socket, closeCodes.policy, reason);
  }

  #end(link: RelayedLink): void {
    this.#links.delete(link);
    this.#closing.delete(link);
    for (const pipe of link.pipes) pipe.end();
  }
}
