// Keeps the blob folder from growing for ever: shards, specs and trees of runs that are over go after a while.

import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { BlobStore } from './blobStore.ts';

export interface SweepOptions {
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  /** SHA-256 of the blobs that must stay. */
  readonly inUse: () => Promise<ReadonlySet<string>>;
}

/** A trainer uploads shards before it asks for the run, and the next fit on the same data wants the same shards. */
const IDLE_MS = 60 * 60_000;
const INTERVAL_MS = 15 * 60_000;

/** Sweeps now and then from now on; returns the function that ends it. */
export function sweepBlobs({ blobs, clock, log, inUse }: SweepOptions): () => void {
  let cancel = (): void => undefined;
  let isOver = false;
  const sweep = async (): Promise<void> => {
    try {
      const swept = await blobs.sweep(await inUse(), IDLE_MS);
      if (swept > 0) log({ level: 'info', message: `Deleted ${swept} blobs of runs that are over` });
    } catch (error) {
      log({ level: 'warn', message: `Blobs could not be swept: ${(error as Error).message}` });
    }
    if (!isOver) cancel = clock.after(INTERVAL_MS, () => void sweep());
  };
  void sweep();
  return () => {
    isOver = true;
    cancel();
  };
}
