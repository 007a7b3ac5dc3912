// Two ends of a link inside one process, for tests and simulations. The courier decides when a message arrives,
// whether it arrives, and with which bytes, so that a test can delay, drop and damage by its own clock.

import { MAX_FRAME_BYTES } from '../../shared/wire/frame.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';
import type { Link, LinkStats } from './link.ts';
import { MessageQueue } from './messageQueue.ts';
import { PeerLostError } from './transportErrors.ts';

export interface Parcel {
  readonly from: string;
  readonly to: string;
  /** The courier's own copy. */
  readonly message: Uint8Array;
  /** Hands the message to the receiver. Parcels of one direction must arrive in their order. */
  arrive(message?: Uint8Array): void;
}

export type Courier = (parcel: Parcel) => void;

export interface MemoryLinkOptions {
  readonly maxMessageBytes?: number;
  /** Bytes under way in one direction above which `send` makes the sender wait. */
  readonly highWaterBytes?: number;
  readonly courier?: Courier;
}

const deliverSoon: Courier = (parcel) => queueMicrotask(() => parcel.arrive());

/** A link between workers `first` and `second`: what each of them holds, in that order. */
export function memoryLinkPair(first: string, second: string, options: MemoryLinkOptions = {}): [Link, Link] {
  const a = new MemoryLink(first, second, options);
  const b = new MemoryLink(second, first, options);
  a.join(b);
  b.join(a);
  return [a, b];
}

class MemoryLink implements Link {
  readonly peer: string;
  readonly path = 'memory';
  readonly maxMessageBytes: number;
  readonly closed: Promise<string>;
  readonly #self: string;
  readonly #courier: Courier;
  readonly #highWaterBytes: number;
  readonly #inbox = new MessageQueue<Uint8Array>();
  readonly #stats = { bytesSent: 0, bytesReceived: 0 };
  readonly #resolveClosed: (reason: string) => void;
  #far: MemoryLink | undefined;
  #underWayBytes = 0;
  #waiting: Deferred<void> | undefined;
  #closedReason: string | undefined;

  constructor(self: string, peer: string, options: MemoryLinkOptions) {
    this.#self = self;
    this.peer = peer;
    this.maxMessageBytes = options.maxMessageBytes ?? MAX_FRAME_BYTES;
    this.#courier = options.courier ?? deliverSoon;
    this.#highWaterBytes = options.highWaterBytes ?? 1024 * 1024;
    const closed = deferred<string>();
    this.closed = closed.promise;
    this.#resolveClosed = closed.resolve;
  }

  join(far: MemoryLink): void {
    this.#far = far;
  }

  get stats(): LinkStats {
    return this.#stats;
  }

  send(message: Uint8Array): Promise<void> {
    if (this.#closedReason !== undefined)
      return Promise.reject(PeerLostError.of(this.peer, this.#closedReason));
    const copy = message.slice();
    this.#stats.bytesSent += copy.length;
    this.#underWayBytes += copy.length;
    this.#courier({
      from: this.#self,
      to: this.peer,
      message: copy,
      arrive: (changed = copy) => {
        this.#underWayBytes -= copy.length;
        this.#far?.receive(changed);
        if (this.#underWayBytes <= this.#highWaterBytes) {
          this.#waiting?.resolve();
          this.#waiting = undefined;
        }
      },
    });
    if (this.#underWayBytes <= this.#highWaterBytes) return Promise.resolve();
    this.#waiting ??= deferred<void>();
    return this.#waiting.promise;
  }

  receive(message: Uint8Array): void {
    if (this.#closedReason !== undefined) return;
    this.#stats.bytesReceived += message.length;
    if (!this.#inbox.push(message)) this.close('more messages than the queue holds arrived unread');
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.#inbox.onMessage(receive);
  }

  close(reason: string): void {
    if (this.#closedReason !== undefined) return;
    this.#closedReason = reason;
    this.#waiting?.reject(PeerLostError.of(this.peer, reason));
    this.#waiting = undefined;
    this.#resolveClosed(reason);
    // What was sent before the end still arrives: the far side hears of it behind those messages.
    queueMicrotask(() => queueMicrotask(() => this.#far?.close(reason)));
  }
}
