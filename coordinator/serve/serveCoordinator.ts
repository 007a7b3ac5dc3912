// What serving uses of a coordinator.

import type { CheckingCluster } from '../cluster/cluster.ts';
import type { BlobStore } from '../core/blobs/blobStore.ts';
import type { CheckResults } from '../core/programs/checkResults.ts';
import type { SlotSource } from '../core/programs/programPipe.ts';
import type { ServingReports } from '../core/serving/servingReports.ts';
import type { ServeRecord } from '../core/store/serveRecord.ts';

/** What serving uses of a coordinator, or of a storage folder. */
export interface ServeCoordinator {
  readonly deployments: ServeRecord;
  readonly blobs: BlobStore;
  /** The pool's workers, for replicas that run on them; a storage folder has none. */
  readonly slots?: SlotSource | undefined;
  /** Is told what checks of these workers' answers show. */
  readonly checkResults?: CheckResults | undefined;
  /** Is told how the applications go, for the dashboard; a storage folder has no need of it. */
  readonly serving?: ServingReports | undefined;
}

/** Undefined where there are no workers. */
export function poolOf({ slots, blobs, checkResults }: Partial<ServeCoordinator> = {}):
  | CheckingCluster
  | undefined {
  return slots && blobs && checkResults && { slots, blobs, checkResults };
}
