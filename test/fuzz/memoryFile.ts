// A file of bytes in memory, for readers that take files from anywhere.

import type { ByteFile, FileLocation } from '../../coordinator/data/store/byteFile.ts';

const PIECE_BYTES = 4096;

export function memoryFile(name: string, bytes: Uint8Array): FileLocation {
  const file: ByteFile = {
    name,
    sizeBytes: bytes.length,
    version: '1',
    read: (start, end) => {
      if (!(start >= 0 && start <= end && end <= bytes.length)) {
        return Promise.reject(new RangeError(`bytes ${start} to ${end} of a file of ${bytes.length}`));
      }
      return Promise.resolve(bytes.slice(start, end));
    },
    async *stream() {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES)
        yield await Promise.resolve(bytes.slice(at, at + PIECE_BYTES));
    },
    close: () => Promise.resolve(),
  };
  return { name, open: () => Promise.resolve(file) };
}
