import { TabgradError } from '../../kernels/errors.ts';

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
