// What a pool is made with.

import type { CoordinatorMessageOf } from '../../../shared/protocol/control.ts';
import type { AdmissionOptions } from './admission.ts';
import type { Log } from '../../log/log.ts';
import type { PlaceOptions } from './places.ts';
import type { RateLimit } from './rateLimit.ts';
import type { TrustLedger } from './trustLedger.ts';

export interface PoolOptions extends AdmissionOptions, PlaceOptions {
  readonly log: Log;
  readonly peerServer: CoordinatorMessageOf<'welcome'>['peerServer'];
  /** STUN and TURN servers for a worker, asked at each welcome: credentials may expire. */
  readonly iceServers: (workerId: string) => CoordinatorMessageOf<'welcome'>['iceServers'];
  readonly pingIntervalMs?: number | undefined;
  /** How long a worker whose socket is lost keeps its place. */
  readonly graceMs?: number | undefined;
  readonly messageRate?: RateLimit;
  readonly byteRate?: RateLimit;
  /** Makes worker ids; given in simulations, which must be repeatable. */
  readonly makeWorkerId?: () => string;
  /** Whether a worker is the owner's own. Absent: none is. */
  readonly isOwners?: (joined: OwnershipFacts) => boolean;
  /** What is known of strangers' honesty. Absent: one that forgets all with the pool. */
  readonly trust?: TrustLedger | undefined;
}

/** By what an owner's worker is told from a stranger. */
export interface OwnershipFacts {
  readonly workerId: string;
  /** By which it joined; empty where none is needed. */
  readonly joinToken: string;
  /** As it calls itself: of use in tests alone. */
  readonly name: string | undefined;
}
