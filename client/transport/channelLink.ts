// A link over a raw channel that has been greeted on. Bytes are frames; text is a goodbye, for good or
// until the channel is greeted on again, or a sign of life.

import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { deferred } from '../../shared/deferred.ts';
import type { Link, LinkPath, LinkStats } from './link.ts';
import { MessageQueue } from './messageQueue.ts';
import type { RawChannel } from './peerEndpoint.ts';
import { PeerLostError } from './transportErrors.ts';

/** How long a closing link waits for the far side to have read everything. */
const FAREWELL_MS = 3_000;
const MAX_REASON_CHARACTERS = 500;
/**
 * A link on which nothing was sent for so long says that it is alive. These messages are not awaited: they give the network
 * below something to deliver, and that network, which answers by itself however busy the peer computes, ends the channel
 * when none comes (SCTP, RFC 9260, 8.1). Without traffic only ICE notices, after half a minute.
 */
const ALIVE_EVERY_MS = 1_000;
const ALIVE = '{"type":"alive"}';
/** The last word on this link; what follows is the greeting of the next one. */
const PARKED = '{"type":"parked"}';

export interface ChannelLinkOptions {
  readonly peer: string;
  readonly path: LinkPath;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
  /** Takes the channel over when the link is parked; `free` resolves when the other end has parked it, too. */
  readonly onPark?: (free: Promise<void>) => void;
}

export class ChannelLink implements Link {
  readonly peer: string;
  readonly path: LinkPath;
  readonly maxMessageBytes: number;
  readonly closed: Promise<string>;
  readonly #channel: RawChannel;
  readonly #clock: Clock;
  readonly #inbox = new MessageQueue<Uint8Array>();
  readonly #closed = deferred<string>();
  readonly #stats = { bytesSent: 0, bytesReceived: 0 };
  readonly #onPark: ((free: Promise<void>) => void) | undefined;
  readonly #farParked = deferred<void>();
  #isParked = false;
  #isFarParked = false;
  #closedReason: string | undefined;
  #quiet = true;
  #cancelAlive: () => void = () => undefined;

  constructor(channel: RawChannel, options: ChannelLinkOptions) {
    this.peer = options.peer;
    this.path = options.path;
    this.maxMessageBytes = options.maxMessageBytes;
    this.#channel = channel;
    this.#clock = options.clock;
    this.#onPark = options.onPark;
    this.closed = this.#closed.promise;
    void channel.closed.then((reason) => this.#end(reason));
    channel.onMessage((message) => this.#receive(message));
    this.#keepAlive();
  }

  get stats(): LinkStats {
    return this.#stats;
  }

  async send(message: Uint8Array): Promise<void> {
    this.#requireOpen();
    if (message.length > this.maxMessageBytes) {
      throw new RangeError(
        `A message of ${message.length} bytes on a link that takes ${this.maxMessageBytes}.`,
      );
    }
    try {
      this.#channel.send(message);
    } catch (error) {
      const reason = messageOf(error);
      this.#end(reason);
      this.#channel.close(reason);
    }
    this.#quiet = false;
    this.#stats.bytesSent += message.length;
    const room = this.#channel.room();
    if (room) await room;
    this.#requireOpen();
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.#inbox.onMessage(receive);
  }

  park(reason: string): void {
    const isOpen = this.#closedReason === undefined || this.#isFarParked;
    if (!this.#onPark || this.#isParked || !isOpen) return this.close(reason);
    try {
      this.#channel.send(PARKED);
    } catch {
      return this.close(reason);
    }
    this.#isParked = true;
    this.#end(reason);
    this.#onPark(this.#farParked.promise);
  }

  close(reason: string): void {
    if (this.#isFarParked && !this.#isParked) this.#channel.close(reason);
    if (this.#closedReason !== undefined) return;
    try {
      this.#channel.send(JSON.stringify({ type: 'bye', reason: reason.slice(0, MAX_REASON_CHARACTERS) }));
    } catch {
      // It was gone already.
    }
    this.#end(reason);
    // Dropping the channel now would lose what is still under way. The far side drops it when it has read the goodbye.
    const cancel = this.#clock.after(FAREWELL_MS, () => this.#channel.close(reason));
    void this.#channel.closed.then(cancel);
  }

  #receive(message: Uint8Array | string): void {
    if (message === ALIVE) return;
    if (message === PARKED) {
      this.#isFarParked = true;
      // What comes next waits for the next link.
      this.#channel.onMessage(undefined);
      this.#farParked.resolve();
      return this.#end('the other end has left the group');
    }
    if (typeof message === 'string') {
      const reason = farewellReason(message);
      this.#end(reason);
      this.#channel.close(reason);
      return;
    }
    if (this.#closedReason !== undefined) return;
    this.#stats.bytesReceived += message.length;
    if (!this.#inbox.push(message)) this.close('more messages than the queue holds arrived unread');
  }

  #keepAlive(): void {
    this.#cancelAlive = this.#clock.after(ALIVE_EVERY_MS, () => {
      if (this.#closedReason !== undefined) return;
      try {
        if (this.#quiet) this.#channel.send(ALIVE);
      } catch {
        return; // The channel tells itself that it is gone.
      }
      this.#quiet = true;
      this.#keepAlive();
    });
  }

  #requireOpen(): void {
    if (this.#closedReason !== undefined) throw PeerLostError.of(this.peer, this.#closedReason);
  }

  #end(reason: string): void {
    if (this.#closedReason !== undefined) return;
    this.#closedReason = reason;
    this.#cancelAlive();
    this.#closed.resolve(reason);
  }
}

function farewellReason(text: string): string {
  try {
    const said = JSON.parse(text) as { type?: unknown; reason?: unknown } | null;
    if (said?.type === 'bye') return String(said.reason).slice(0, MAX_REASON_CHARACTERS);
  } catch {
    // Falls through: whatever it was, it was no goodbye.
  }
  return 'the far side sent text that is no goodbye';
}
