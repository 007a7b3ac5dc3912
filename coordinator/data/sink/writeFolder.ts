// Writes a dataset as a folder of part files. Readers of this library see all parts of a writing or none, and where one
// replaces another always one of them whole.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type * as arrow from 'apache-arrow';
import { sliceBatch } from '../../../shared/columns/arrowData.ts';
import { DataArgumentError } from '../plan/dataErrors.ts';
import { rebatch } from '../operators/rebatch.ts';
import type { Batches } from '../plan/planNode.ts';
import { finishReplacements, replaceParts } from '../store/replaceParts.ts';
import { writeError } from '../store/writeError.ts';

export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Rows of a part file; 1,000,000 by default. */
  readonly rowsPerFile?: number;
  /** What to do when the folder holds such files: refuse (default), add to them, or replace them. */
  readonly mode?: 'error' | 'append' | 'overwrite';
}

/** Encodes one part file. */
interface PartEncoder {
  add(batch: arrow.RecordBatch): Promise<void>;
  finish(): Promise<void>;
}

/** Bytes of a part file, in order. */
type WriteBytes = (bytes: Uint8Array) => Promise<void>;
export type OpenPart = (path: string) => Promise<Pick<FileHandle, 'writeFile' | 'sync' | 'close'>>;

export interface PartFormat {
  readonly extension: string;
  /** Rows that are encoded at a time. */
  readonly batchRows: number;
  encoder(write: WriteBytes): PartEncoder;
}

/**
 * @returns the paths of the parts. Without rows: none, and an empty folder.
 * @throws DataArgumentError when the folder holds such files already, DiskFullError, WriteFailedError, and what the
 * dataset throws; nothing of this writing is left behind then.
 */
export async function writeFolder(
  folder: string,
  format: PartFormat,
  batches: Batches,
  options: WriteOptions,
  openPart: OpenPart = (path) => open(path, 'wx'),
): Promise<string[]> {
  const { rowsPerFile = 1_000_000, mode = 'error' } = options;
  if (!Number.isInteger(rowsPerFile) || rowsPerFile < 1) {
    throw new DataArgumentError(`rowsPerFile is ${rowsPerFile}; a whole number of at least 1 is expected.`, {
      field: 'rowsPerFile',
    });
  }
  const created = await makeFolder(folder);
  const present = await partsIn(folder, format.extension);
  if (mode === 'error' && present.length > 0) {
    throw new DataArgumentError(
      `${folder} holds ${present.length} ${format.extension} files already; choose another folder or the mode "append" or "overwrite".`,
      { file: folder },
    );
  }
  const staging = join(folder, `.writing-${randomUUID()}`);
  try {
    await mkdir(staging);
    const token = mode === 'append' ? `-${randomUUID().slice(0, 8)}` : '';
    const nameOf = (index: number): string =>
      `part-${String(index).padStart(5, '0')}${token}${format.extension}`;
    const count = await writeParts(staging, nameOf, format, batches, rowsPerFile, openPart, folder);
    await replaceParts(folder, staging, mode === 'overwrite' ? present : []);
    return Array.from({ length: count }, (_, index) => join(folder, nameOf(index)));
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (created) await rmdir(folder).catch(() => undefined);
    throw isFileSystemError(error) ? writeError(error, folder) : error;
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    return (await mkdir(folder, { recursive: true })) !== undefined;
  } catch (error) {
    throw writeError(error, folder);
  }
}

async function partsIn(folder: string, extension: string): Promise<string[]> {
  try {
    await finishReplacements(folder);
    return (await readdir(folder)).filter((name) => name.endsWith(extension));
  } catch (error) {
    throw isFileSystemError(error) ? writeError(error, folder) : error;
  }
}

function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

interface OpenedPart {
  readonly encoder: PartEncoder;
  readonly file: Awaited<ReturnType<OpenPart>>;
  rows: number;
}

async function writeParts(
  staging: string,
  nameOf: (index: number) => string,
  format: PartFormat,
  batches: Batches,
  rowsPerFile: number,
  openPart: OpenPart,
  folder: string,
): Promise<number> {
  let count = 0;
  let part: OpenedPart | undefined;
  const finish = async (): Promise<void> => {
    if (part === undefined) return;
    await part.encoder.finish();
    // A rename must not outlive the content it names.
    await part.file.sync();
    await part.file.close();
    part = undefined;
  };
  const abandon = async (open: OpenedPart | undefined): Promise<void> => {
    await open?.file.close().catch(() => undefined);
  };
  try {
    for await (const batch of rebatch(batches, Math.min(format.batchRows, rowsPerFile))) {
      for (let start = 0; start < batch.numRows;) {
        if (part === undefined) {
          const file = await openPart(join(staging, nameOf(count)));
          count += 1;
          const write: WriteBytes = async (bytes) => {
            try {
              await file.writeFile(bytes);
            } catch (error) {
              throw writeError(error, folder);
            }
          };
          part = { file, rows: 0, encoder: format.encoder(write) };
        }
        const take = Math.min(batch.numRows - start, rowsPerFile - part.rows);
        await part.encoder.add(take === batch.numRows ? batch : sliceBatch(batch, start, start + take));
        part.rows += take;
        start += take;
        if (part.rows === rowsPerFile) await finish();
      }
    }
    await finish();
    return count;
  } finally {
    await abandon(part);
  }
}
