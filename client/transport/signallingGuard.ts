// Stands between the signalling server and PeerJS, which trusts what it is told: it constructs whatever class an offer
// names, keeps what is said of connections that do not exist for ever, and closes live connections because the other end's
// socket to the server is gone.

import type { BufferedConnection, Peer } from 'peerjs';
import { isDialled } from './peerJsConnection.ts';
import { readMetadata } from './channelMetadata.ts';
import type { Offer } from './offerGate.ts';

/** As much as a session description for one data channel can have, candidates of many networks included. */
const MAX_SDP_CHARACTERS = 32 * 1024;
const MAX_ID_CHARACTERS = 128;

interface Signal {
  readonly type?: unknown;
  readonly src?: unknown;
  readonly payload?: Record<string, unknown> | null;
}

/** @param onOffer Told of every well-formed offer; nothing is made of it before `take`. */
export function guardMessages(peer: Peer, onOffer: (offer: Offer) => void): void {
  const guarded = peer as unknown as { _handleMessage(message: unknown): void };
  const handle = guarded._handleMessage.bind(peer);
  const connectionOf = (signal: Signal): BufferedConnection | undefined => {
    const { src, payload } = signal;
    if (typeof src !== 'string' || typeof payload?.['connectionId'] !== 'string') return undefined;
    // It answers null where there is none.
    return (peer.getConnection(src, payload['connectionId']) ?? undefined) as BufferedConnection | undefined;
  };
  guarded._handleMessage = (message) => {
    const signal = (message ?? {}) as Signal;
    switch (signal.type) {
      case 'OPEN':
      case 'ERROR':
      case 'EXPIRE':
      case 'ID-TAKEN':
      case 'INVALID-KEY':
        return handle(message);
      case 'OFFER': {
        const dialler = readOffer(signal);
        if (!dialler) return;
        const take = (): BufferedConnection | undefined => {
          handle(message);
          return connectionOf(signal);
        };
        return onOffer({ ...dialler, take });
      }
      case 'ANSWER': {
        const connection = connectionOf(signal);
        if (connection && isDialled(connection)) handle(message);
        return;
      }
      case 'CANDIDATE':
        if (connectionOf(signal)) handle(message);
    }
  };
}

function readOffer({ src, payload }: Signal): Omit<Offer, 'take'> | undefined {
  const metadata = readMetadata(payload?.['metadata']);
  const description = payload?.['sdp'] as { type?: unknown; sdp?: unknown } | null | undefined;
  const wellFormed =
    isId(src) &&
    isId(payload?.['connectionId']) &&
    payload['type'] === 'data' &&
    payload['serialization'] === 'raw' &&
    description?.type === 'offer' &&
    typeof description.sdp === 'string' &&
    description.sdp.length <= MAX_SDP_CHARACTERS;
  if (!wellFormed || !metadata) return undefined;
  return { peerId: src, workerId: metadata.from, group: metadata.group };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_CHARACTERS;
}
