// Data files on a local disk.

import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { messageOf } from '../../../shared/text/messageOf.ts';
import {
  CorruptFileError,
  FileChangedError,
  FileMissingError,
  FileUnreadableError,
} from '../plan/dataErrors.ts';
import type { ByteFile, FileLocation } from './byteFile.ts';

const STREAM_PIECE_BYTES = 256 * 1024;

export function localFile(path: string): FileLocation {
  return { name: path, open: () => openLocalFile(path) };
}

async function openLocalFile(path: string): Promise<ByteFile> {
  try {
    const handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      throw new FileUnreadableError(`${path} is not a regular file.`, { file: path });
    }
    return new LocalFile(path, handle, stats);
  } catch (error) {
    throw localError(error, path);
  }
}

class LocalFile implements ByteFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly version: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle, stats: Stats) {
    this.name = path;
    this.sizeBytes = stats.size;
    this.version = versionOf(stats);
    this.#handle = handle;
  }

  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - start);
    let filled = 0;
    while (filled < bytes.length) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    // The path, not the handle: a file that was replaced keeps its old content under the old handle.
    await this.#check();
    if (filled < bytes.length) {
      throw new CorruptFileError(
        `${this.name} ends at byte ${start + filled}; bytes up to ${end} were expected.`,
        { file: this.name },
      );
    }
    return bytes;
  }

  async *stream(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < this.sizeBytes; start += STREAM_PIECE_BYTES) {
      yield await this.read(start, Math.min(start + STREAM_PIECE_BYTES, this.sizeBytes), signal);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #check(): Promise<void> {
    let now: string;
    try {
      now = versionOf(await stat(this.name));
    } catch (error) {
      throw new FileChangedError(
        `${this.name} was removed while it was read.`,
        { file: this.name },
        { cause: error },
      );
    }
    if (now !== this.version) {
      throw new FileChangedError(`${this.name} changed while it was read.`, { file: this.name });
    }
  }
}

function versionOf(stats: Stats): string {
  return `${stats.size}-${stats.mtimeMs}-${stats.ino}`;
}

/** Turns an error of the file system into a coded one. */
export function localError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !code.startsWith('E')) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new FileMissingError(`There is no file or folder ${path}.`, { file: path }, { cause: error });
  }
  const reason = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : messageOf(error);
  return new FileUnreadableError(`${path} can't be read: ${reason}.`, { file: path }, { cause: error });
}
