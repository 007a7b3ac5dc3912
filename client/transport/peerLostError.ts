import { TabgradError } from '../../kernels/errors.ts';

/** The link to a peer closed, or could not be made; `place.peer` names the peer. */
export class PeerLostError extends TabgradError {
  readonly code = 'PEER_LOST';

  static of(peer: string, reason: string): PeerLostError {
    return new PeerLostError(`The link to worker ${peer} is closed: ${reason}.`, { peer });
  }
}
