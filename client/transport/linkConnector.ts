// Makes the links of a group: directly over WebRTC, and through the relay where that doesn't come up in time. The lower
// worker id of a pair dials and decides about the path; the other end takes whichever channel the dialler confirms.

import { AbortedError, DeadlineError } from '../../kernels/errors.ts';
import { delay, systemClock, type Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { ChannelLink } from './channelLink.ts';
import { deferred } from '../../shared/deferred.ts';
import { greetAsAcceptor, greetAsDialler, type Greeting } from './greeting.ts';
import { IncomingChannels } from './incomingChannels.ts';
import type { ConnectOptions, Link, LinkConnector, LinkPath, PeerAddress } from './link.ts';
import type { PeerEndpoint, RawChannel } from './peerEndpoint.ts';
import { ParkedChannels } from './parkedChannels.ts';
import type { OpenRelay } from './relayChannel.ts';
import { PeerLostError, PeerUnprovenError } from './transportErrors.ts';

const DEFAULT_DIRECT_TIMEOUT_MS = 8_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const REDIAL_AFTER_MS = 500;
/** How long the other end of a channel of the last group has to answer on it, before another is dialled. */
const REUSE_TIMEOUT_MS = 3_000;
/**
 * Peers that are met at a time, before they are in a group with this worker: a tab has some hundred connections, and strangers
 * may come by the hundred. Further ones are left to the group.
 */
const MOST_MEETINGS = 64;
/** Channels of one dialler that are greeted at a time: it gives up one before it opens the next. */
const MAX_GREETED = 4;

export interface LinkConnectorOptions {
  readonly workerId: string;
  /** Undefined where there is no WebRTC: everything goes through the relay. */
  readonly endpoint: PeerEndpoint | undefined;
  /** Undefined where the coordinator's relay must not be used. */
  readonly openRelay: OpenRelay | undefined;
  readonly clock?: Clock;
  /** Told of every channel whose other end did not prove who it is. */
  readonly onUnproven?: (error: PeerUnprovenError) => void;
}

/** One attempt of `connect`, for one peer. */
interface Attempt {
  readonly peer: PeerAddress;
  readonly greeting: Greeting;
  readonly directTimeoutMs: number;
  /** The link is for a group that is yet to be formed: only a channel that can be kept is of use. */
  readonly isMeeting: boolean;
  /** Rejects when the attempt is over, whatever it was doing. */
  readonly over: Promise<never>;
  /** Channels to drop when it is over. */
  readonly channels: Set<RawChannel>;
  /** The last channel whose other end did not prove who it is. */
  unproven: PeerUnprovenError | undefined;
}

export function createLinkConnector(options: LinkConnectorOptions): LinkConnector {
  return new PeerLinkConnector(options);
}

class PeerLinkConnector implements LinkConnector {
  readonly #workerId: string;
  readonly #endpoint: PeerEndpoint | undefined;
  readonly #openRelay: OpenRelay | undefined;
  readonly #clock: Clock;
  readonly #onUnproven: (error: PeerUnprovenError) => void;
  readonly #incoming: IncomingChannels;
  readonly #links = new Set<Link>();
  #meetings = 0;
  readonly #parked: ParkedChannels;

  constructor(options: LinkConnectorOptions) {
    this.#workerId = options.workerId;
    this.#endpoint = options.endpoint;
    this.#openRelay = options.openRelay;
    this.#clock = options.clock ?? systemClock;
    this.#onUnproven = options.onUnproven ?? ((): void => undefined);
    this.#parked = new ParkedChannels(this.#clock);
    this.#incoming = new IncomingChannels(options.workerId, this.#clock);
    this.#endpoint?.onIncoming((incoming) => this.#incoming.enter(incoming));
  }

  expect(peers: readonly PeerAddress[], group: string): () => void {
    const diallers = peers.filter(({ workerId }) => workerId < this.#workerId);
    const stops = diallers.map(({ workerId, peerId }) => this.#endpoint?.expect({ workerId, peerId, group }));
    return () => {
      for (const stop of stops) stop?.();
    };
  }

  async connect(peers: readonly PeerAddress[], options: ConnectOptions): Promise<Map<string, Link>> {
    this.#parked.keepOnly(peers);
    const outcomes = await Promise.allSettled(peers.map((peer) => this.#connectOne(peer, options)));
    const links = new Map<string, Link>();
    for (const outcome of outcomes)
      if (outcome.status === 'fulfilled') links.set(outcome.value.peer, outcome.value);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) return links;
    for (const link of links.values()) link.close('the group did not come together');
    throw failed.reason;
  }

  async meet(peers: readonly PeerAddress[], options: ConnectOptions): Promise<void> {
    const unknown = peers.filter((peer) => !this.#parked.has(peer) && !this.#isLinked(peer));
    const met = unknown.slice(0, MOST_MEETINGS - this.#meetings);
    this.#meetings += met.length;
    const links = met.map(async (peer) => {
      try {
        const link = await this.#connectOne(peer, options, true);
        link.park?.('it is kept for a group with this peer');
      } finally {
        this.#meetings -= 1;
      }
    });
    await Promise.allSettled(links);
  }

  #isLinked({ workerId }: PeerAddress): boolean {
    return [...this.#links].some(({ peer }) => peer === workerId);
  }

  async close(): Promise<void> {
    this.#incoming.close();
    this.#parked.close();
    for (const link of this.#links) link.close('the worker leaves');
    await this.#endpoint?.close();
  }

  async #connectOne(peer: PeerAddress, options: ConnectOptions, isMeeting = false): Promise<Link> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { signal, group } = options;
    const { promise: over, reject: end } = deferred<never>();
    over.catch(() => undefined);
    const name = peer.workerId;
    const late = `Worker ${name} could not be reached by any path within ${timeoutMs} ms`;
    const cancel = this.#clock.after(timeoutMs, () => {
      const { unproven } = attempt;
      const impostor = unproven ? ', and something else answered in its place' : '';
      end(new DeadlineError(`${late}${impostor}.`, { peer: name }, { cause: unproven }));
    });
    const abort = (): void =>
      end(new AbortedError(`Connecting to worker ${name} was withdrawn.`, {}, { cause: signal?.reason }));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    const attempt: Attempt = {
      peer,
      greeting: { self: this.#workerId, peer: name, group, key: peer.linkKey },
      directTimeoutMs: options.directTimeoutMs ?? DEFAULT_DIRECT_TIMEOUT_MS,
      isMeeting,
      over,
      channels: new Set(),
      unproven: undefined,
    };
    const stopExpecting = this.expect([peer], group);
    try {
      const link = await Promise.race([
        over,
        this.#workerId < name ? this.#dial(attempt) : this.#await(attempt),
      ]);
      this.#links.add(link);
      void link.closed.then(() => this.#links.delete(link));
      options.onLink?.(name);
      return link;
    } finally {
      cancel();
      stopExpecting();
      signal?.removeEventListener('abort', abort);
      for (const channel of attempt.channels) channel.close('it was not needed');
    }
  }

  async #dial(attempt: Attempt): Promise<Link> {
    const { peer, greeting } = attempt;
    const reused = await this.#reuse(attempt, greetAsDialler, REUSE_TIMEOUT_MS);
    if (reused) return reused;
    const direct = this.#endpoint
      ? await this.#dialDirectly(attempt, this.#endpoint)
      : 'this worker has no WebRTC';
    if (typeof direct !== 'string') return direct;
    if (!this.#openRelay || attempt.isMeeting) {
      throw attempt.unproven ?? PeerLostError.of(peer.workerId, `${direct}, and there is no relay`);
    }
    return this.#greeted(attempt, this.#openRelay(peer.workerId, greeting.group), 'relay', greetAsDialler);
  }

  /** The channel of the last group, greeted on again; undefined where there is none, or the other end does not answer. */
  async #reuse(
    attempt: Attempt,
    greet: (channel: RawChannel, greeting: Greeting) => Promise<number>,
    timeoutMs: number,
  ): Promise<Link | undefined> {
    const parked = this.#parked.take(attempt.peer);
    if (!parked) return undefined;
    const { channel, free } = parked;
    attempt.channels.add(channel);
    const stop = this.#clock.after(timeoutMs, () => channel.close('the other end did not answer on it'));
    try {
      await Promise.race([free, channel.closed, attempt.over]);
      return await this.#greeted(attempt, channel, 'direct', greet);
    } catch {
      channel.close('a new one is dialled');
      return undefined;
    } finally {
      stop();
    }
  }

  /** Dials until it works or the time for it is over: the other end may be about to come back to signalling. */
  async #dialDirectly(attempt: Attempt, endpoint: PeerEndpoint): Promise<Link | string> {
    const { peer, greeting, directTimeoutMs } = attempt;
    const { self: from, peer: to, group } = greeting;
    const deadline = this.#clock.now() + directTimeoutMs;
    for (;;) {
      let why: string;
      let stop: (() => void) | undefined;
      try {
        const channel = endpoint.dial(peer.peerId, { from, to, group });
        const remainingMs = deadline - this.#clock.now();
        stop = this.#clock.after(remainingMs, () => channel.close(`no answer within ${directTimeoutMs} ms`));
        return await this.#greeted(attempt, channel, 'direct', greetAsDialler);
      } catch (error) {
        why = messageOf(error);
      } finally {
        stop?.();
      }
      if (this.#clock.now() + REDIAL_AFTER_MS >= deadline) return why;
      await Promise.race([delay(this.#clock, REDIAL_AFTER_MS), attempt.over]);
    }
  }

  async #await(attempt: Attempt): Promise<Link> {
    const { peer, greeting, directTimeoutMs } = attempt;
    const arrived = deferred<Link>();
    // The dialler may give up a channel and dial again: each one that comes is greeted, the first confirmed is the link.
    const greeted: RawChannel[] = [];
    const leave = this.#incoming.await(peer, greeting.group, (channel) => {
      greeted.push(channel);
      if (greeted.length > MAX_GREETED) greeted.shift()?.close('the dialler opened too many others');
      this.#greeted(attempt, channel, 'direct', greetAsAcceptor).then(arrived.resolve, () => undefined);
    });
    // The dialler decides; it may still be loading.
    const reused = this.#reuse(attempt, greetAsAcceptor, directTimeoutMs);
    void reused.then((link) => link && arrived.resolve(link));
    const openRelay = this.#openRelay;
    const relay = (): void => {
      if (!openRelay || attempt.isMeeting) return;
      const channel = openRelay(peer.workerId, greeting.group);
      this.#greeted(attempt, channel, 'relay', greetAsAcceptor).then(arrived.resolve, () => undefined);
    };
    const stop = this.#clock.after(this.#endpoint ? directTimeoutMs : 0, relay);
    try {
      return await Promise.race([arrived.promise, attempt.over]);
    } finally {
      stop();
      leave();
    }
  }

  async #greeted(
    attempt: Attempt,
    channel: RawChannel,
    path: LinkPath,
    greet: (channel: RawChannel, greeting: Greeting) => Promise<number>,
  ): Promise<Link> {
    attempt.channels.add(channel);
    try {
      const maxMessageBytes = await Promise.race([greet(channel, attempt.greeting), attempt.over]);
      return new ChannelLink(channel, {
        peer: attempt.peer.workerId,
        path,
        maxMessageBytes,
        clock: this.#clock,
        ...(path === 'direct' && {
          onPark: (free: Promise<void>) => this.#parked.add(attempt.peer, channel, free, attempt.isMeeting),
        }),
      });
    } catch (error) {
      if (error instanceof PeerUnprovenError) {
        attempt.unproven = error;
        this.#onUnproven(error);
      }
      channel.close(messageOf(error));
      throw error;
    } finally {
      attempt.channels.delete(channel);
    }
  }
}
