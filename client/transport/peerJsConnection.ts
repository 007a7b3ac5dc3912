// PeerJS's data connection without PeerJS's own buffering: it hands out the RTCDataChannel in the task that created it,
// which is the only one in which a browser lets it be transferred to a worker, and it holds ICE candidates back until
// there is a description they belong to (they may overtake it, and would be lost).

import type * as PeerJs from 'peerjs';
import type { BufferedConnection, Peer } from 'peerjs';
import type { Clock } from '../../shared/clock.ts';
import { deferred } from '../../shared/deferred.ts';
import type { ChannelTerms } from './peerEndpoint.ts';
import type { ChannelCarrier } from './rtcChannel.ts';

type SignallingMessage = Parameters<BufferedConnection['handleMessage']>[0];
type ConnectionClass = new (peerId: string, provider: Peer, options: object) => BufferedConnection;

/** Chromium's limit; used where the connection doesn't tell. */
const USUAL_MAX_MESSAGE_BYTES = 256 * 1024;

/**
 * How long a connection may stay "disconnected" before it counts as lost. Chromium says so when it has heard nothing for
 * some five seconds, of ICE's own checks too, which a peer's network answers however busy the peer is; it may come back.
 */
const DISCONNECTED_GRACE_MS = 3_000;

/** More candidates than any host has addresses are not kept for an answer that has not come. */
const MAX_HELD_CANDIDATES = 64;

export interface ConnectionEvents {
  /** Called in the very task in which the channel was created. */
  created(connection: BufferedConnection, channel: RTCDataChannel): void;
  /** It is over, by whatever cause; PeerJS itself tells this of open connections alone, and takes these for none. */
  closed(connection: BufferedConnection): void;
}

/** @returns The class to register as PeerJS's 'raw' serializer. */
export function connectionClass(peerjs: typeof PeerJs, events: ConnectionEvents): ConnectionClass {
  // PeerJS creates the channel of a dialled connection inside its own constructor, before fields of a subclass exist:
  // what a connection has to remember is kept beside it.
  const described = new WeakSet<object>();
  const heldBack = new WeakMap<object, SignallingMessage[]>();
  const release = new WeakMap<object, () => void>();

  class PlainConnection extends peerjs.BufferedConnection {
    readonly serialization = 'raw';

    override _initializeDataChannel(channel: RTCDataChannel): void {
      if (isDialled(this)) release.set(this, holdOwnCandidates(this.peerConnection));
      events.created(this, channel);
    }

    override async handleMessage(message: SignallingMessage): Promise<void> {
      // The answering side has its description since it was constructed.
      if (message.type === peerjs.ServerMessageType.Candidate && isDialled(this) && !described.has(this)) {
        const held = heldBack.get(this) ?? [];
        if (held.length < MAX_HELD_CANDIDATES) heldBack.set(this, [...held, message]);
        return;
      }
      await super.handleMessage(message);
      if (message.type !== peerjs.ServerMessageType.Answer) return;
      described.add(this);
      for (const candidate of heldBack.get(this) ?? []) await super.handleMessage(candidate);
      heldBack.delete(this);
      release.get(this)?.();
    }

    override close(options?: { flush?: boolean }): void {
      super.close(options);
      events.closed(this);
    }

    protected override _handleDataMessage(): void {}

    protected override _send(): void {}
  }
  return PlainConnection;
}

export function isDialled(connection: BufferedConnection): boolean {
  return (connection.options as { _payload?: unknown })._payload === undefined;
}

/**
 * Keeps the dialler's candidates from the other end until the answer is here. An answering end that knew them earlier
 * would be connected while the dialler is not: libdatachannel drops its DTLS greeting then, and repeats it after a
 * second, or fails the handshake because the answer's fingerprint is not yet in place.
 * @returns How to let them go.
 */
function holdOwnCandidates(connection: RTCPeerConnection): () => void {
  const tell = connection.onicecandidate;
  const held: RTCPeerConnectionIceEvent[] = [];
  connection.onicecandidate = (event) => void held.push(event);
  return () => {
    connection.onicecandidate = tell;
    for (const event of held) tell?.call(connection, event);
  };
}

/** The RTCPeerConnection under a PeerJS connection, reduced to what a channel needs of it. */
export function carrierOf(
  connection: BufferedConnection,
  closed: Promise<string>,
  clock: Clock,
): ChannelCarrier {
  const ended = deferred<string>();
  const terms = deferred<ChannelTerms>();
  const underlying = connection.peerConnection;
  let reprieve = (): void => undefined;
  const look = (): void => {
    const state = underlying.connectionState;
    reprieve();
    if (state === 'disconnected') {
      reprieve = clock.after(DISCONNECTED_GRACE_MS, () => ended.resolve('nothing was heard for seconds'));
    }
    if (state === 'connected') {
      const settled = termsOf(underlying);
      if (typeof settled === 'string') ended.resolve(settled);
      else terms.resolve(settled);
    }
    if (state === 'failed' || state === 'closed') ended.resolve(`the WebRTC connection ${state}`);
  };
  underlying.addEventListener('connectionstatechange', look);
  connection.on('error', (error) => ended.resolve(error.message));
  void closed.then(ended.resolve);
  look();
  return { terms: terms.promise, ended: ended.promise, close: () => connection.close() };
}

/** What a connection has settled, or why it can not be used. */
function termsOf(connection: RTCPeerConnection): ChannelTerms | string {
  const own = certificateFingerprints(connection.localDescription?.sdp ?? '');
  const far = certificateFingerprints(connection.remoteDescription?.sdp ?? '');
  if (own === '' || far === '') return 'the WebRTC connection does not tell its certificates';
  const maxMessageBytes = connection.sctp?.maxMessageSize || USUAL_MAX_MESSAGE_BYTES;
  return { maxMessageBytes, ends: { own, far } };
}

const FINGERPRINT = /^a=fingerprint:(\S+) +([0-9A-Fa-f:]+)\s*$/gm;

/**
 * All fingerprints of a session description (SDP), each once and in one order: where there are several, any of them will
 * do. "" when there are none.
 */
export function certificateFingerprints(sdp: string): string {
  const found = [...sdp.matchAll(FINGERPRINT)].map(
    ([, algorithm = '', digest = '']) => `${algorithm.toLowerCase()} ${digest.toUpperCase()}`,
  );
  return [...new Set(found)].sort().join(', ');
}
