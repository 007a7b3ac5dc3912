// How the two ends of a link prove that they are those whom the coordinator put in one group: by a code over all that
// they said and over the very channel, made with a key that the coordinator gave to these two alone.

import { codesEqual, hmacSha256 } from '../../shared/hash/hmacSha256.ts';
import { PeerUnprovenError } from './transportErrors.ts';
import { toHex } from '../../shared/hash/sha256.ts';

/** One end as both see it. */
interface LinkEnd {
  readonly workerId: string;
  /** Drawn by this end for this channel, so that no earlier proof fits. */
  readonly nonce: string;
  readonly maxMessageBytes: number;
  /** What the channel knows this end by; see ChannelTerms. */
  readonly certificates: string;
}

export interface LinkTranscript {
  readonly group: string;
  readonly dialler: LinkEnd;
  readonly acceptor: LinkEnd;
}

export type LinkRole = 'dialler' | 'acceptor';

/** The proof of the end that has this role; the other role's is another, so that none can be sent back as an answer. */
export function linkProof(key: string, role: LinkRole, transcript: LinkTranscript): string {
  const { group, dialler, acceptor } = transcript;
  const said = [dialler, acceptor].flatMap((end) => [
    end.workerId,
    end.nonce,
    end.maxMessageBytes,
    end.certificates,
  ]);
  const text = JSON.stringify(['tabgrad link', role, group, ...said]);
  const encoder = new TextEncoder();
  return toHex(hmacSha256(encoder.encode(key), encoder.encode(text)));
}

/** @throws PeerUnprovenError unless `proof` is that of the end with this role. */
export function checkLinkProof(
  proof: unknown,
  key: string,
  role: LinkRole,
  transcript: LinkTranscript,
): void {
  const expected = linkProof(key, role, transcript);
  if (typeof proof === 'string' && codesEqual(proof, expected)) return;
  throw PeerUnprovenError.of(transcript[role].workerId);
}

/** 128 random bits in hexadecimal. */
export function randomNonce(): string {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(16)));
}
