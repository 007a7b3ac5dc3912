// What workers store: only members of a run, no more than the run's kind needs, and only for as long as a run counts on it.

import type { Clock } from '../../../shared/clock.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import type { Log } from '../../log/log.ts';
import { TokenBucket, type RateLimit } from '../pool/rateLimit.ts';
import { BlobTooLargeError } from './blobErrors.ts';
import type { BlobStore } from './blobStore.ts';

/** A worker may not store that; some of the reasons pass. */
class UploadRefusedError extends TabgradError {
  readonly code = 'UPLOAD_REFUSED';
}

export interface WorkerUploadsOptions {
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Largest blob that this worker may store for the run that it is in; 0 where there is none. */
  readonly maxBytes: (workerId: string) => number;
  /** SHA-256 of the blobs that runs need. */
  readonly inUse: () => ReadonlySet<string>;
  readonly quota?: UploadQuota;
}

export interface UploadQuota {
  /** Of one worker: at least so much, and at least so many of the largest blob that its run allows. */
  readonly bytesEach: number;
  readonly blobsEach: number;
  readonly bytesInAll: number;
}

/** An upload that is under way. */
export interface UploadPlace {
  /** @param isNew the blob was not there before. */
  stored(isNew: boolean): void;
  /** It is over, stored or not. Idempotent. */
  end(): void;
}

interface Upload {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly atMs: number;
  /** A run has counted on it. */
  isNamed: boolean;
}

interface Uploader {
  readonly uploads: Map<string, Upload>;
  readonly rate: TokenBucket;
  /** Bytes of uploads, those under way included. */
  bytes: number;
  underWay: number;
}

const GIBIBYTE = 1024 ** 3;
const QUOTA: UploadQuota = { bytesEach: GIBIBYTE, blobsEach: 4, bytesInAll: 16 * GIBIBYTE };
/** A net on a small set stores its state after each of its epochs, which take a few milliseconds. */
const UPLOAD_RATE: RateLimit = { perSecond: 50, burst: 200 };
/** A state that is stored aside, and a profile. */
const MAX_UNDER_WAY = 2;
/** The message that names an upload follows it at once. */
const UNNAMED_MS = 5 * 60_000;
/** Of a state that another one has replaced: an owner fetches what it hears of. */
const REPLACED_MS = 10_000;
const SWEEP_INTERVAL_MS = 60_000;

export class WorkerUploads {
  readonly #options: WorkerUploadsOptions;
  readonly #quota: UploadQuota;
  readonly #uploaders = new Map<string, Uploader>();
  /** SHA-256 of uploads that no run has counted on yet. */
  readonly #unnamed = new Set<string>();
  #bytes = 0;
  /** Ends the wait for the next sweep; undefined while nothing is to be swept. */
  #cancelSweep: (() => void) | undefined;

  constructor(options: WorkerUploadsOptions) {
    this.#options = options;
    this.#quota = options.quota ?? QUOTA;
  }

  /**
   * Makes room for a blob that a worker is about to send.
   * @throws UploadRefusedError, BlobTooLargeError, StorageError
   */
  async begin(workerId: string, sha256: string, sizeBytes: number): Promise<UploadPlace> {
    const { clock, maxBytes } = this.#options;
    const most = maxBytes(workerId);
    if (most === 0)
      throw new UploadRefusedError(`Worker ${workerId} is in no run whose members store anything`);
    if (sizeBytes > most)
      throw new BlobTooLargeError(
        `A blob of worker ${workerId} may have ${most} bytes in its run, not ${sizeBytes}`,
      );
    const uploader = this.#uploaderOf(workerId);
    if (uploader.underWay >= MAX_UNDER_WAY || !uploader.rate.take(1, clock.now()))
      throw new UploadRefusedError(
        `Worker ${workerId} stores too many blobs at a time; try again in a moment`,
      );
    // Taken before anything is waited for: others ask meanwhile.
    uploader.underWay += 1;
    this.#add(uploader, sizeBytes);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      uploader.underWay -= 1;
      this.#add(uploader, -sizeBytes);
    };
    try {
      await this.#makeRoom(workerId, uploader, most);
    } catch (error) {
      end();
      throw error;
    }
    return {
      end,
      stored: (isNew) => {
        end();
        if (!isNew || uploader.uploads.has(sha256)) return;
        this.#add(uploader, sizeBytes);
        uploader.uploads.set(sha256, { sha256, sizeBytes, atMs: clock.now(), isNamed: false });
        this.#unnamed.add(sha256);
      },
    };
  }

  /** A run counts on this blob. */
  named(sha256: string): void {
    for (const { uploads } of this.#uploaders.values()) {
      const upload = uploads.get(sha256);
      if (upload) upload.isNamed = true;
    }
    this.#unnamed.delete(sha256);
  }

  /** Whether it was stored by a worker and no run has counted on it yet. */
  isUnnamed(sha256: string): boolean {
    return this.#unnamed.has(sha256);
  }

  close(): void {
    this.#cancelSweep?.();
  }

  #uploaderOf(workerId: string): Uploader {
    let uploader = this.#uploaders.get(workerId);
    if (!uploader) {
      const rate = new TokenBucket(UPLOAD_RATE, this.#options.clock.now());
      uploader = { uploads: new Map(), rate, bytes: 0, underWay: 0 };
      this.#uploaders.set(workerId, uploader);
    }
    this.#cancelSweep ??= this.#sweepLater();
    return uploader;
  }

  #add(uploader: Uploader, bytes: number): void {
    uploader.bytes += bytes;
    this.#bytes += bytes;
  }

  /** @throws UploadRefusedError */
  async #makeRoom(workerId: string, uploader: Uploader, largest: number): Promise<void> {
    const { bytesEach, blobsEach, bytesInAll } = this.#quota;
    const own = Math.max(bytesEach, Math.min(blobsEach * largest, bytesInAll));
    if (uploader.bytes <= own && this.#bytes <= bytesInAll) return;
    const inUse = this.#options.inUse();
    await this.#drop(uploader, inUse, () => uploader.bytes <= own);
    if (uploader.bytes > own) {
      throw new UploadRefusedError(
        `Worker ${workerId} has stored as much as it may (${own} bytes); try again in a moment`,
      );
    }
    const byBytes = [...this.#uploaders.values()].sort((a, b) => b.bytes - a.bytes);
    for (const one of byBytes) await this.#drop(one, inUse, () => this.#bytes <= bytesInAll);
    if (this.#bytes <= bytesInAll) return;
    throw new UploadRefusedError(
      `Workers have stored as much as they may (${bytesInAll} bytes); try again in a moment`,
    );
  }

  /** Deletes what no run needs any more, oldest first, until it is enough. */
  async #drop(uploader: Uploader, inUse: ReadonlySet<string>, isEnough: () => boolean): Promise<void> {
    for (const upload of uploader.uploads.values()) {
      if (isEnough()) return;
      if (!inUse.has(upload.sha256)) await this.#dropOne(uploader, upload);
    }
  }

  async #dropOne(uploader: Uploader, upload: Upload): Promise<void> {
    // Others may have stored the same bytes since, and count on them.
    const idleMs = upload.isNamed ? REPLACED_MS : UNNAMED_MS;
    if (await this.#options.blobs.deleteIdle(upload.sha256, idleMs)) this.#forget(uploader, upload);
  }

  #forget(uploader: Uploader, { sha256, sizeBytes }: Upload): void {
    if (!uploader.uploads.delete(sha256)) return;
    this.#add(uploader, -sizeBytes);
    this.#unnamed.delete(sha256);
  }

  async #sweep(): Promise<void> {
    const { blobs, clock, log, inUse } = this.#options;
    const oldestMs = clock.now() - UNNAMED_MS;
    const needed = inUse();
    for (const [workerId, uploader] of this.#uploaders) {
      for (const upload of uploader.uploads.values()) {
        try {
          const isStale = !upload.isNamed && upload.atMs <= oldestMs && !needed.has(upload.sha256);
          if (isStale) await this.#dropOne(uploader, upload);
          // The rest goes with the blobs of runs that are over.
          else if (!(await blobs.has(upload.sha256))) this.#forget(uploader, upload);
        } catch (error) {
          log({
            level: 'warn',
            message: `A blob of worker ${workerId} could not be swept: ${String(error)}`,
          });
        }
      }
      if (uploader.uploads.size === 0 && uploader.underWay === 0) this.#uploaders.delete(workerId);
    }
  }

  #sweepLater(): () => void {
    let isOver = false;
    const cancelTimer = this.#options.clock.after(SWEEP_INTERVAL_MS, () => {
      void this.#sweep().then(() => {
        if (!isOver) this.#cancelSweep = this.#uploaders.size === 0 ? undefined : this.#sweepLater();
      });
    });
    return () => {
      isOver = true;
      cancelTimer();
    };
  }
}
