// What other members send is read here, so that a message that can not be read is told apart from a failure of this
// worker's own, and the coordinator hears who sent it.

import { TabgradError } from '../../kernels/errors.ts';
import { messageOf } from '../text/messageOf.ts';
import type { Collective } from './collective.ts';

/** What a member sent can not be read, or contradicts what is known. */
export class PeerMessageError extends TabgradError {
  readonly code: 'PEER_MESSAGE_INVALID' | 'PEER_CONTRADICTS' = 'PEER_MESSAGE_INVALID';
  /** Worker ids of those who may have sent it. */
  readonly peers: readonly string[];

  constructor(message: string, peers: readonly string[], options?: ErrorOptions) {
    super(message, peers.length === 1 ? { peer: peers[0]! } : {}, options);
    this.peers = peers;
  }
}

/**
 * What a member says of what it sent this one, or got from it, is not so. Other messages that do not fit prove nothing: a third member
 * can have told the two different things, so that they are at different places.
 */
export class PeerContradictionError extends PeerMessageError {
  override readonly code = 'PEER_CONTRADICTS';
}

/**
 * @param read of what the member of that rank sent.
 * @throws PeerMessageError naming the member, in place of what `read` throws; that itself where it is this member's own.
 */
export function readFromPeer<T>(
  { members, rank }: Pick<Collective, 'members' | 'rank'>,
  from: number,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (from === rank) throw error;
    const peer = members[from] ?? `of rank ${from}`;
    throw new PeerMessageError(`Worker ${peer} sent what can not be: ${messageOf(error)}`, [peer], {
      cause: error,
    });
  }
}

/** All members but this one: where a sum is wrong, any of them may have spoilt it. */
export function othersOf({ members, rank }: Pick<Collective, 'members' | 'rank'>): string[] {
  return members.filter((_, other) => other !== rank);
}
