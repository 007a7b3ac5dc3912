// What the replicas of a deployment are to be.

import type { DeploymentSettings } from '../../core/store/deploymentSettings.ts';
import type { Replica } from '../replica/replica.ts';
import type { CheckCounts } from '../replica/checkCounts.ts';

export interface ReplicaSetSpec {
  readonly settings: DeploymentSettings;
  /** Of its replicas' answers, counted on. */
  readonly checks?: Readonly<CheckCounts> | undefined;
  makeReplica(id: string): Replica;
}
