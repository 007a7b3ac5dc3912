// A blob store in memory.

import { createHash } from 'node:crypto';
import type { BlobSink } from '../../../coordinator/core/blobs/blobStore.ts';

export interface MemoryBlobs extends BlobSink {
  get(sha256: string): Uint8Array;
  readonly count: () => number;
}

export function memoryBlobs(): MemoryBlobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    putBytes(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      blobs.set(sha256, bytes);
      return Promise.resolve({ sha256, sizeBytes: bytes.byteLength });
    },
    get(sha256) {
      const bytes = blobs.get(sha256);
      if (!bytes) throw new Error(`no blob ${sha256}`);
      return bytes;
    },
    count: () => blobs.size,
  };
}
