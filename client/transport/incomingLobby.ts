// Where incoming channels wait until this worker, too, has been told of the group they are for. Nothing gets past here
// that doesn't say whom it is from, for this worker, and comes from the PeerJS id which that worker has.

import type { Clock } from '../../shared/clock.ts';
import type { PeerAddress } from './link.ts';
import type { ChannelMetadata, IncomingChannel, RawChannel } from './peerEndpoint.ts';

/** How long a channel waits for its group to be known here. */
const PATIENCE_MS = 30_000;
const MAX_WAITING = 256;

interface Visitor {
  readonly incoming: IncomingChannel;
  readonly leave: () => void;
}

interface Host {
  readonly peerId: string;
  readonly accept: (channel: RawChannel) => void;
}

export class IncomingLobby {
  readonly #workerId: string;
  readonly #clock: Clock;
  readonly #visitors = new Map<string, Visitor>();
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
    const key = keyOf(metadata.from, metadata.group);
    const host = this.#hosts.get(key);
    if (host) {
      admit(host, incoming);
      return;
    }
    const former = this.#visitors.get(key);
    // Nobody pushes a waiting channel out but its own dialler, dialling again.
    if ((former && former.incoming.peerId !== incoming.peerId) || this.#visitors.size >= MAX_WAITING) {
      incoming.channel.close('too many channels are waiting');
      return;
    }
    former?.incoming.channel.close('it was dialled again');
    former?.leave();
    const leave = this.#clock.after(PATIENCE_MS, () => {
      this.#visitors.delete(key);
      incoming.channel.close('its group never came to be known here');
    });
    this.#visitors.set(key, { incoming, leave });
  }

  /** @returns How to stop awaiting. */
  await(peer: PeerAddress, group: string, accept: (channel: RawChannel) => void): () => void {
    const key = keyOf(peer.workerId, group);
    const host = { peerId: peer.peerId, accept };
    this.#hosts.set(key, host);
    const visitor = this.#visitors.get(key);
    if (visitor) {
      visitor.leave();
      this.#visitors.delete(key);
      admit(host, visitor.incoming);
    }
    return () => {
      if (this.#hosts.get(key) === host) this.#hosts.delete(key);
    };
  }

  close(): void {
    for (const { incoming, leave } of this.#visitors.values()) {
      leave();
      incoming.channel.close('the worker leaves');
    }
    this.#visitors.clear();
  }
}

function admit(host: Host, incoming: IncomingChannel): void {
  if (incoming.peerId === host.peerId) host.accept(incoming.channel);
  else incoming.channel.close('it comes from another PeerJS id than its worker has');
}

function keyOf(workerId: string, group: string): string {
  return JSON.stringify([workerId, group]);
}

function readMetadata(metadata: unknown): ChannelMetadata | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const { from, to, group } = metadata as Record<string, unknown>;
  const valid = [from, to, group].every(
    (text) => typeof text === 'string' && text.length > 0 && text.length <= 300,
  );
  return valid ? { from: from as string, to: to as string, group: group as string } : undefined;
}
