// What is told of a deployment's replicas.

import type { CheckCounts } from '../replica/checkCounts.ts';
import type { RouterCounts } from '../routing/router.ts';

/** The replicas of a deployment as they are now, and requests since its start. */
export interface ReplicaSetStatus {
  readonly name: string;
  readonly version: string | undefined;
  readonly status: 'running' | 'updating' | 'unhealthy' | 'stopping';
  /** Replicas that are wanted. */
  readonly target: number;
  readonly replicas: Readonly<Record<MemberState, number>>;
  /** Each of them; while an update goes on, those of both versions. */
  readonly members: readonly ReplicaStatus[];
  readonly ongoing: number;
  readonly queued: number;
  readonly restarts: number;
  readonly counts: Readonly<RouterCounts>;
  /** Of answers of strangers, where replicas run on workers of the pool. */
  readonly checks: Readonly<CheckCounts>;
  /** Why the last replica ended or could not start. */
  readonly message: string;
}

/** A replica as it is now. */
export interface ReplicaStatus {
  readonly id: string;
  readonly version: string | undefined;
  /** Whether it is of the revision that all are to be of. */
  readonly isCurrent: boolean;
  readonly state: MemberState;
  /** Worker of the pool that it runs on; undefined beside the server. */
  readonly workerId: string | undefined;
  readonly ongoing: number;
  /** Calls that it has answered. */
  readonly answered: number;
}

export type MemberState = 'starting' | 'running' | 'stopping';
