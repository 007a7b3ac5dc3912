// How a worker reaches peers through signalling, whatever runtime it lives in. Built by openPeerEndpoint in Node and
// Deno; in a tab by remotePeerEndpoint in the compute worker, with servePeerEndpoint on the page.

import type { ChannelMetadata } from './channelMetadata.ts';

/** What is settled about a channel when it opens. */
export interface ChannelTerms {
  /** Largest message that both ends take, in bytes. */
  readonly maxMessageBytes: number;
  /**
   * What the channel itself knows its ends by: fingerprints of the certificates of a WebRTC connection (see
   * certificateFingerprints), a fixed word on paths without any. Each end has the other's `own` as `far`, unless somebody
   * sits between them.
   */
  readonly ends: { readonly own: string; readonly far: string };
}

/** An ordered, reliable pipe of whole messages: text for the link's own handshake, bytes for frames. */
export interface RawChannel {
  /** Resolves once messages can be sent. Rejects when it never opens. */
  readonly opened: Promise<ChannelTerms>;
  /** Resolves with the reason when the channel is gone. Never rejects. */
  readonly closed: Promise<string>;
  /** Hands a message over; the buffer may be used again when this returns. Throws once the channel is closed. */
  send(message: Uint8Array | string): void;
  /** Undefined while there is room; otherwise resolves when there is room again or the channel is closed. */
  room(): Promise<void> | undefined;
  /** Replaces the receiver. Messages that arrive without one wait in a bounded queue. */
  onMessage(receive: ((message: Uint8Array | string) => void) | undefined): void;
  /** Drops the channel and the connection under it at once. */
  close(reason: string): void;
}

export interface IncomingChannel {
  /** The dialler's id as the signalling server knows it. */
  readonly peerId: string;
  /** As it came over the wire: unchecked. */
  readonly metadata: unknown;
  readonly channel: RawChannel;
}

/** Who may dial this worker, and for which group. */
export interface ExpectedDialler {
  /** Its PeerJS id. */
  readonly peerId: string;
  readonly workerId: string;
  readonly group: string;
}

export interface PeerEndpoint {
  /** The id under which others dial this worker. */
  readonly id: string;
  dial(peerId: string, metadata: ChannelMetadata): RawChannel;
  /** STUN and TURN servers for connections that are made from now on. */
  useIceServers(servers: readonly RTCIceServer[]): void;
  /**
   * Takes what this dialler offers, from now on and what waits already. To offers that are not expected no connection is
   * made; a few of them wait a moment. @returns How to stop, which also drops what is still being negotiated.
   */
  expect(dialler: ExpectedDialler): () => void;
  /** Set once, before peers know the id. */
  onIncoming(accept: (incoming: IncomingChannel) => void): void;
  /** Resolves with the reason when the endpoint can't be used any more. Never rejects. */
  readonly closed: Promise<string>;
  close(): Promise<void>;
}

/** Where signalling happens and how connections are made; from the coordinator's welcome. */
export interface PeerJsOptions {
  /** PeerJS id of this worker. */
  readonly peerId: string;
  /** Base URL of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly coordinatorUrl: string;
  /** Path under which the PeerJS server is mounted, e.g. /peerjs. */
  readonly path: string;
  readonly key: string;
  /** Proves that this worker may use the id. */
  readonly token: string;
  readonly iceServers: readonly RTCIceServer[];
  /** 'relay' permits TURN only. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
  /** How long the signalling server may take to answer. Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
