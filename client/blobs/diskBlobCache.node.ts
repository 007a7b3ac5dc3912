// Blobs kept as files, for Node and Deno. Several workers may share the folder: files appear by rename, whole.

import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobCache } from './blobCache.ts';

/** Keeps at most `maxBytes` in `folder`, the least recently used go first. */
export function diskBlobCache(folder: string, maxBytes: number): BlobCache {
  const fileOf = (sha256: string): string => join(folder, sha256);
  let isPrepared = false;
  /** For one account alone: shards of owners lie in there. */
  const prepare = async (): Promise<void> => {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // Earlier versions left it open; where it belongs to another account it stays as it is.
    if (made === undefined && !isPrepared) await chmod(folder, 0o700).catch(() => {});
    isPrepared = true;
  };
  return {
    async get(sha256) {
      try {
        const bytes = await readFile(fileOf(sha256));
        const now = new Date();
        await utimes(fileOf(sha256), now, now);
        return bytes;
      } catch {
        return undefined;
      }
    },
    async put(sha256, bytes) {
      if (bytes.length > maxBytes) return;
      const unfinished = `${fileOf(sha256)}.${crypto.randomUUID()}.part`;
      try {
        await prepare();
        await makeRoom(folder, maxBytes - bytes.length);
        await writeFile(unfinished, bytes, { mode: 0o600 });
        await rename(unfinished, fileOf(sha256));
      } catch {
        await rm(unfinished, { force: true }).catch(() => {});
      }
    },
  };
}

async function makeRoom(folder: string, keepBytes: number): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const file = join(folder, name);
      // Another worker may have removed it meanwhile.
      const found = await stat(file).catch(() => undefined);
      return { file, sizeBytes: found?.size ?? 0, usedAt: found?.mtimeMs ?? 0 };
    }),
  );
  let total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const { file, sizeBytes } of files.sort((a, b) => a.usedAt - b.usedAt)) {
    if (total <= keepBytes) return;
    await rm(file, { force: true });
    total -= sizeBytes;
  }
}
