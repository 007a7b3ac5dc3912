// Reads a file of a checkpoint, or says which one can not be read.

import { readFileSync } from 'node:fs';
import { CheckpointError } from './checkpointError.ts';

/** @throws CheckpointError */
export function readCheckpointFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CheckpointError(
      `${file} can not be read: ${(error as Error).message}.`,
      { file },
      { cause: error },
    );
  }
}
