// Where a worker keeps blobs between runs, so that coming back does not mean downloading everything again.

/** Keeps blobs by SHA-256 up to a bound. Failures of the medium are swallowed: a cache may always be empty. */
export interface BlobCache {
  get(sha256: string): Promise<Uint8Array | undefined>;
  put(sha256: string, bytes: Uint8Array): Promise<void>;
}

/** For runtimes whose coordinator is next door. */
export const noBlobCache: BlobCache = {
  get: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
};
