// Checkpoints among the arguments of a program travel by content: their files become blobs, fetched once a worker.

import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { CarriedFile } from '../../shared/protocol/program.ts';
import type { BlobAddress } from '../blobs/blobStore.ts';
import { Checkpoint } from '../train/checkpoint.ts';
import { CheckpointError } from '../train/trainErrors.ts';

/** Keeps bytes where workers can fetch them. */
export interface BlobStorer {
  putBytes(bytes: Uint8Array): Promise<BlobAddress>;
}

interface CarriedCheckpoints {
  /** The files of each checkpoint; a checkpoint's number is its place. */
  readonly carried: CarriedFile[][];
  /** @returns the number of a checkpoint; undefined for any other object. */
  readonly carry: (value: object) => number | undefined;
}

/** A checkpoint is a model's folder; who names another one by mistake shall not upload a disk. */
const MAX_FILES = 1024;

/** Stores the files of every checkpoint among the arguments, also within arrays and plain objects. */
export async function carryCheckpoints(args: unknown, blobs: BlobStorer): Promise<CarriedCheckpoints> {
  const checkpoints = [...new Set(found(args, 0))];
  const carried: CarriedFile[][] = [];
  for (const checkpoint of checkpoints) carried.push(await storeFiles(checkpoint, blobs));
  return {
    carried,
    carry: (value) => {
      const index = checkpoints.indexOf(value as Checkpoint);
      return index === -1 ? undefined : index;
    },
  };
}

function found(value: unknown, depth: number): Checkpoint[] {
  if (value instanceof Checkpoint) return [value];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 64) return [];
  return Object.values(value).flatMap((item) => found(item, depth + 1));
}

async function storeFiles(checkpoint: Checkpoint, blobs: BlobStorer): Promise<CarriedFile[]> {
  const files: CarriedFile[] = [];
  for (const file of await filesOf(checkpoint)) {
    const { sha256, sizeBytes } = await blobs.putBytes(await readFile(file));
    files.push({ name: relative(checkpoint.path, file).split(sep).join('/'), sha256, sizeBytes });
  }
  return files;
}

/** All files of the folder; where a model file was named, that one alone. */
async function filesOf(checkpoint: Checkpoint): Promise<string[]> {
  if (checkpoint.isSingleFile) return [checkpoint.modelPath];
  const entries = await readdir(checkpoint.path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (files.length <= MAX_FILES) return files.sort();
  throw new CheckpointError(
    `The checkpoint ${checkpoint.path} has ${files.length} files; expected at most ${MAX_FILES}.`,
    { file: checkpoint.path },
  );
}
