// One process at a time works on an experiment's folder.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { writeFailure } from '../../train/record/atomicWrite.ts';
import { ExperimentError } from '../tuneErrors.ts';

/** Holds nothing; SQLite's lock on it is what counts. */
const LOCK_FILE = '.lock';

/**
 * Makes the folder if need be, and locks it. The lock is the process's: the system lifts it when the process is killed, and
 * no file that a dead process left can be mistaken for it.
 * @returns lifts the lock.
 * @throws ExperimentError when somebody has it; ResultWriteError
 */
export async function lockExperiment(folder: string): Promise<() => void> {
  const file = join(folder, LOCK_FILE);
  let database: InstanceType<typeof Database> | undefined;
  try {
    await mkdir(folder, { recursive: true });
    database = new Database(file);
    database.exec('begin exclusive');
  } catch (error) {
    database?.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw writeFailure(error, file);
    throw new ExperimentError(
      `${folder} is in use: another process, or another Tuner of this one, works on it. Wait for its end, or choose another runConfig.name.`,
      { file: folder },
      { cause: error },
    );
  }
  const held = database;
  return () => held.close();
}
