// Where a trainer's run happens: a coordinator that is up already, or one that is started for it. The trainer sees
// this interface alone; tests put their own behind it.

import type { RunHandle, RunRequest } from '../core/run/runRequest.ts';
import type { BlobReference } from '../../shared/neural/run/neuralSpec.ts';
import type { BlobSink } from '../core/blobs/blobStore.ts';

export interface FoundRun {
  /** Its events from the first one on. */
  follow(): RunHandle;
}

export interface Cluster {
  /** Address of the coordinator, or what stands for it. */
  readonly url: string;
  readonly blobs: BlobSink;
  /** Bytes that a worker has stored. */
  readBlob(blob: BlobReference): Promise<Uint8Array>;
  /** Resolves when the coordinator took the run. */
  startRun(request: RunRequest): Promise<RunHandle>;
  /**
   * A run that was asked for earlier, also one that has ended. Only where runs go on without the process that asked for them.
   * @throws RemoteError with RUN_UNKNOWN
   */
  findRun?(runId: string): Promise<FoundRun>;
  /** Ends what was started for this run. Idempotent. */
  close(): Promise<void>;
}
