// Blobs kept in the browser's Cache storage, up to a bound. The browser may drop them whenever it needs the room, and
// the user whenever they like.

import type { BlobCache } from './blobCache.ts';

const CACHE_NAME = 'tabgrad-blobs';
const SIZE_HEADER = 'x-size-bytes';

/** Keeps at most `maxBytes`; the oldest entries go first. */
export function tabBlobCache(maxBytes: number): BlobCache {
  // Not there over plain http from another machine.
  const storage = globalThis.caches as CacheStorage | undefined;
  const addressOf = (sha256: string): string => `/cached-blobs/${sha256}`;
  return {
    async get(sha256) {
      try {
        const found = await (await storage?.open(CACHE_NAME))?.match(addressOf(sha256));
        return found && new Uint8Array(await found.arrayBuffer());
      } catch {
        return undefined;
      }
    },
    async put(sha256, bytes) {
      if (!storage || bytes.length > maxBytes) return;
      try {
        const cache = await storage.open(CACHE_NAME);
        await makeRoom(cache, maxBytes - bytes.length);
        const headers = { [SIZE_HEADER]: String(bytes.length) };
        await cache.put(addressOf(sha256), new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
      } catch {
        // Over quota, or private browsing: do without.
      }
    },
  };
}

/** What is kept in this browser now. */
export async function keptBlobs(): Promise<{ readonly pieces: number; readonly bytes: number }> {
  const storage = globalThis.caches as CacheStorage | undefined;
  if (!storage || !(await storage.has(CACHE_NAME))) return { pieces: 0, bytes: 0 };
  const entries = await listEntries(await storage.open(CACHE_NAME));
  return { pieces: entries.length, bytes: entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

/** Removes all that is kept. What a run needs it fetches again. */
export async function forgetBlobs(): Promise<void> {
  await (globalThis.caches as CacheStorage | undefined)?.delete(CACHE_NAME);
}

async function makeRoom(cache: Cache, keepBytes: number): Promise<void> {
  const entries = await listEntries(cache);
  let total = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const { request, sizeBytes } of entries) {
    if (total <= keepBytes) return;
    await cache.delete(request);
    total -= sizeBytes;
  }
}

/** In the order of insertion. */
async function listEntries(cache: Cache): Promise<{ request: Request; sizeBytes: number }[]> {
  return Promise.all(
    (await cache.keys()).map(async (request) => ({
      request,
      sizeBytes: Number((await cache.match(request))?.headers.get(SIZE_HEADER) ?? 0),
    })),
  );
}
