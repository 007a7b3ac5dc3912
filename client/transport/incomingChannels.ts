// Where incoming channels wait until this worker connects to the group they are for: it may still be loading. Nothing gets
// past here that doesn't say whom it is from, for this worker, and comes from the PeerJS id which that worker has.

import type { Clock } from '../../shared/clock.ts';
import { readMetadata } from './channelMetadata.ts';
import type { PeerAddress } from './link.ts';
import type { IncomingChannel, RawChannel } from './peerEndpoint.ts';

/** How long a channel waits for this worker to connect to its group. */
const PATIENCE_MS = 30_000;
/** Places of one dialler, whatever it says: it can take none of others. */
const MAX_WAITING_PER_DIALLER = 4;

interface Visitor {
  readonly incoming: IncomingChannel;
  readonly cancelPatience: () => void;
}

interface Host {
  readonly peerId: string;
  readonly accept: (channel: RawChannel) => void;
}

export class IncomingChannels {
  readonly #workerId: string;
  readonly #clock: Clock;
  /** By group, worker and PeerJS id: who says another's name takes no place of that one's. */
  readonly #visitors = new Map<string, Visitor>();
  /** By group and worker. */
  readonly #hosts = new Map<string, Host>();

  constructor(workerId: string, clock: Clock) {
    this.#workerId = workerId;
    this.#clock = clock;
  }

  enter(incoming: IncomingChannel): void {
    const metadata = readMetadata(incoming.metadata);
    if (!metadata || metadata.to !== this.#workerId) {
      incoming.channel.close('it is not for this worker');
      return;
    }
    const { from, group } = metadata;
    const host = this.#hosts.get(keyOf(group, from));
    if (host) admit(host, incoming);
    else this.#slot(keyOf(group, from, incoming.peerId), incoming);
  }

  /** @returns How to stop awaiting. */
  await(peer: PeerAddress, group: string, accept: (channel: RawChannel) => void): () => void {
    const key = keyOf(group, peer.workerId);
    const host = { peerId: peer.peerId, accept };
    this.#hosts.set(key, host);
    const visitor = this.#leave(keyOf(group, peer.workerId, peer.peerId));
    if (visitor) admit(host, visitor.incoming);
    return () => {
      if (this.#hosts.get(key) === host) this.#hosts.delete(key);
    };
  }

  close(): void {
    for (const key of this.#visitors.keys()) this.#leave(key)?.incoming.channel.close('the worker leaves');
  }

  #slot(key: string, incoming: IncomingChannel): void {
    const { peerId, channel } = incoming;
    this.#leave(key)?.incoming.channel.close('it was dialled again');
    const places = [...this.#visitors.values()].filter((visitor) => visitor.incoming.peerId === peerId);
    if (places.length >= MAX_WAITING_PER_DIALLER) {
      channel.close('too many channels of this dialler are waiting');
      return;
    }
    const cancelPatience = this.#clock.after(PATIENCE_MS, () => {
      this.#leave(key);
      channel.close('this worker did not connect to its group');
    });
    this.#visitors.set(key, { incoming, cancelPatience });
    void channel.closed.then(() => {
      if (this.#visitors.get(key)?.incoming === incoming) this.#leave(key);
    });
  }

  #leave(key: string): Visitor | undefined {
    const visitor = this.#visitors.get(key);
    visitor?.cancelPatience();
    this.#visitors.delete(key);
    return visitor;
  }
}

function admit(host: Host, incoming: IncomingChannel): void {
  if (incoming.peerId === host.peerId) host.accept(incoming.channel);
  else incoming.channel.close('it comes from another PeerJS id than its worker has');
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
