// Failures of signalling and of links to peers.

import { TabgradError } from '../../kernels/errors.ts';

/** The signalling server could not be reached, or did not answer in time. Trying again later may help. */
export class SignallingError extends TabgradError {
  readonly code = 'SIGNALLING_FAILED';
}

/** The signalling server won't have this worker as it presents itself. Trying again changes nothing; the relay remains. */
export class SignallingRefusedError extends TabgradError {
  readonly code = 'SIGNALLING_REFUSED';
}

/** The link to a peer closed, or could not be made; `place.peer` names the peer. */
export class PeerLostError extends TabgradError {
  readonly code = 'PEER_LOST';

  static of(peer: string, reason: string): PeerLostError {
    return new PeerLostError(`The link to worker ${peer} is closed: ${reason}.`, { peer });
  }
}

/** A peer did not prove that it is the worker that it says; `place.peer` names that worker. */
export class PeerUnprovenError extends TabgradError {
  readonly code = 'PEER_UNPROVEN';

  static of(peer: string): PeerUnprovenError {
    return new PeerUnprovenError(
      `What is at the other end of a link to worker ${peer} does not know the key that the coordinator gave to that worker.`,
      { peer },
    );
  }
}
