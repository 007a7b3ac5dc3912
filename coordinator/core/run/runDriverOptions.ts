// What a run is driven with.

import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { BlobAddress } from '../blobs/blobStore.ts';
import type { Pool } from '../pool/pool.ts';
import type { RoundAuditor } from '../trust/roundAudit.ts';
import type { RunPlan, RunTiming } from './runPlan.ts';
import type { RunFact, SavedRun } from './runRecord.ts';
import type { RunRequest } from './runRequest.ts';

/** The part of the blob store that a run needs. */
interface RunBlobs {
  putJson(value: unknown): Promise<BlobAddress>;
  sizeBytes(sha256: string): Promise<number | undefined>;
}

export interface RunDriverOptions {
  readonly request: RunRequest;
  readonly pool: Pool;
  readonly blobs: RunBlobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing?: Partial<RunTiming> | undefined;
  /** Most of the rows that unproven workers may hold together; without it there is no limit. */
  readonly maxUnprovenShare?: number | undefined;
  /** Resolves when facts are safe; nothing that rests on them leaves before. */
  readonly keep: (facts: readonly RunFact[]) => Promise<void>;
  /** Checks rounds in which strangers took part; without one none are. Opened when it is needed. */
  readonly auditor?: ((request: RunRequest) => RoundAuditor) | undefined;
  /** Default "auto": where strangers take part. */
  readonly checks?: RunPlan['checks'] | undefined;
  /** What an earlier life of the coordinator kept of this run. */
  readonly saved?: SavedRun | undefined;
}
