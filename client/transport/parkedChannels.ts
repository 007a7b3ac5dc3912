// Channels of a group that is over, kept for a moment: most members of a group are in the next one too, and to connect anew
// takes long on a busy machine. A channel is greeted again there, with the key of the new link, as a new one would be; where
// the other end has not kept it, or does not answer, a new one is dialled.

import type { Clock } from '../../shared/clock.ts';
import type { PeerAddress } from './link.ts';
import type { RawChannel } from './peerEndpoint.ts';

/** The coordinator forms the next group sooner, or this worker has no place in it. */
const KEPT_MS = 10_000;
/** A newcomer may wait that long until it is let in. */
const MET_KEPT_MS = 120_000;
/** Of those: each is a connection, and newcomers come and go as they like. The one that was met first goes. */
const MOST_MET = 64;

interface Parked {
  readonly peerId: string;
  readonly channel: RawChannel;
  /** Resolves when the other end has left the old link, too. */
  readonly free: Promise<void>;
  readonly forget: () => void;
  /** To a peer that was in no group with this worker yet: groups without it say nothing about the next one. */
  readonly isMet: boolean;
}

export class ParkedChannels {
  readonly #clock: Clock;
  readonly #parked = new Map<string, Parked>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(
    { workerId, peerId }: Pick<PeerAddress, 'workerId' | 'peerId'>,
    channel: RawChannel,
    free: Promise<void>,
    isMet = false,
  ): void {
    this.drop(workerId, 'another one took its place');
    const keptMs = isMet ? MET_KEPT_MS : KEPT_MS;
    const forget = this.#clock.after(keptMs, () => this.drop(workerId, 'it was not needed any more'));
    this.#parked.set(workerId, { peerId, channel, free, forget, isMet });
    const met = [...this.#parked].filter(([, parked]) => parked.isMet);
    if (met.length > MOST_MET) this.drop(met[0]![0], 'too many others were met since');
    void channel.closed.then(() => {
      forget();
      if (this.#parked.get(workerId)?.channel === channel) this.#parked.delete(workerId);
    });
  }

  /** The channel to this peer, no longer kept here, and when it is free; undefined where there is none. */
  take({ workerId, peerId }: PeerAddress): Pick<Parked, 'channel' | 'free'> | undefined {
    const parked = this.#parked.get(workerId);
    if (!parked) return undefined;
    if (parked.peerId !== peerId) {
      this.drop(workerId, 'the peer has another address');
      return undefined;
    }
    parked.forget();
    this.#parked.delete(workerId);
    return parked;
  }

  has({ workerId, peerId }: PeerAddress): boolean {
    return this.#parked.get(workerId)?.peerId === peerId;
  }

  /** Closes those to peers of the last group that are not in the next one. */
  keepOnly(peers: readonly PeerAddress[]): void {
    const wanted = new Set(peers.map(({ workerId }) => workerId));
    for (const [workerId, { isMet }] of this.#parked)
      if (!wanted.has(workerId) && !isMet) this.drop(workerId, 'the peer is not in the next group');
  }

  close(): void {
    for (const workerId of this.#parked.keys()) this.drop(workerId, 'the worker leaves');
  }

  drop(workerId: string, reason: string): void {
    const parked = this.#parked.get(workerId);
    if (!parked) return;
    this.#parked.delete(workerId);
    parked.forget();
    parked.channel.close(reason);
  }
}
