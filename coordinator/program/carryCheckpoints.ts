// Checkpoints among the arguments of a program travel by content: their files become blobs, fetched once a worker.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import type { CarriedFile } from '../../shared/protocol/program.ts';
import type { BlobSink } from '../core/blobs/blobStore.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointError } from '../checkpoint/checkpointError.ts';

interface CarriedCheckpoints {
  /** The files of each checkpoint; a checkpoint's number is its place. */
  readonly carried: CarriedFile[][];
  /** @returns the number of a checkpoint; undefined for any other object. */
  readonly carry: (value: object) => number | undefined;
}

/** A checkpoint is a model's folder; who names another one by mistake shall not upload a disk. */
const MAX_FILES = 1024;

/** On disk, or held in memory where the program may be opened again after the folder is gone or changed. */
type AnyCheckpoint = Checkpoint | CarriedCheckpoint;

/** Stores the files of every checkpoint among the arguments, also within arrays and plain objects. */
export async function carryCheckpoints(args: unknown, blobs: BlobSink): Promise<CarriedCheckpoints> {
  const checkpoints = [...new Set(found(args, 0))];
  const carried: CarriedFile[][] = [];
  for (const checkpoint of checkpoints) carried.push(await storeFiles(checkpoint, blobs));
  return {
    carried,
    carry: (value) => {
      const index = checkpoints.indexOf(value as AnyCheckpoint);
      return index === -1 ? undefined : index;
    },
  };
}

function found(value: unknown, depth: number): AnyCheckpoint[] {
  if (value instanceof Checkpoint || value instanceof CarriedCheckpoint) return [value];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 64) return [];
  return Object.values(value).flatMap((item) => found(item, depth + 1));
}

async function storeFiles(checkpoint: AnyCheckpoint, blobs: BlobSink): Promise<CarriedFile[]> {
  const names = checkpoint instanceof Checkpoint ? await namesIn(checkpoint) : checkpoint.fileNames();
  if (names.length > MAX_FILES) {
    const where = checkpoint instanceof Checkpoint ? ` ${checkpoint.path}` : '';
    throw new CheckpointError(
      `The checkpoint${where} has ${names.length} files; expected at most ${MAX_FILES}.`,
      checkpoint instanceof Checkpoint ? { file: checkpoint.path } : {},
    );
  }
  const files: CarriedFile[] = [];
  for (const name of names) {
    const bytes =
      checkpoint instanceof Checkpoint
        ? await readFile(join(checkpoint.path, name))
        : checkpoint.readBytes(name);
    files.push({ name, ...(await blobs.putBytes(bytes)) });
  }
  return files;
}

/** All files of the folder, with "/"; where a model file was named, that one alone. */
async function namesIn({ path, isSingleFile, modelPath }: Checkpoint): Promise<string[]> {
  if (isSingleFile) return [basename(modelPath)];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
