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

/** Remembers what it is given as long as this process runs, whatever the cache below it does. For few and small things. */
export function rememberedOver(cache: BlobCache): BlobCache {
  const remembered = new Map<string, Uint8Array>();
  return {
    get: async (sha256) => remembered.get(sha256) ?? cache.get(sha256),
    async put(sha256, bytes) {
      remembered.set(sha256, bytes);
      await cache.put(sha256, bytes);
    },
  };
}
