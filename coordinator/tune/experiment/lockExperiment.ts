// One process at a time works on an experiment's folder.

import { mkdir } from 'node:fs/promises';
import { lockFolder } from '../../files/processLock.ts';
import { writeFailure } from '../../train/record/atomicWrite.ts';
import { ExperimentError } from '../space/tuneErrors.ts';

/**
 * Makes the folder if need be, and locks it for this process.
 * @returns lifts the lock.
 * @throws ExperimentError when somebody has it; ResultWriteError
 */
export async function lockExperiment(folder: string): Promise<() => void> {
  let lift: (() => void) | undefined;
  try {
    await mkdir(folder, { recursive: true });
    lift = lockFolder(folder);
  } catch (error) {
    throw writeFailure(error, folder);
  }
  if (lift) return lift;
  throw new ExperimentError(
    `${folder} is in use: another process, or another Tuner of this one, works on it. Wait for its end, or choose another runConfig.name.`,
    { file: folder },
  );
}
