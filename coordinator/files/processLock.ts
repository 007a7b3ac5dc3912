// A lock on a file that goes with its process: the system lifts it when the process is killed, and nothing that a dead
// process left can be mistaken for it.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';

/**
 * Takes the lock for this process.
 * @param file is made if need be. It holds nothing; SQLite's lock on it is what counts.
 * @param waitMs how long another may have it.
 * @returns lifts it; undefined when another process, or another part of this one, has it.
 * @throws what opening the file throws.
 */
export function takeProcessLock(file: string, waitMs = 0): (() => void) | undefined {
  const database = new Database(file, { timeout: waitMs });
  try {
    database.exec('begin exclusive');
    return () => database.close();
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/**
 * Locks a folder for this process, by a hidden file in it.
 * @returns lifts the lock and removes the file; undefined when another process, or another part of this one, has it.
 * @throws what opening the file throws; no file is left then.
 */
export function lockFolder(folder: string): (() => void) | undefined {
  const file = join(folder, '.lock');
  const remove = (): void => {
    try {
      rmSync(file, { force: true });
    } catch {
      // Windows keeps files that are open. The empty file does no harm.
    }
  };
  let lift: (() => void) | undefined;
  try {
    lift = takeProcessLock(file);
  } catch (error) {
    remove();
    throw error;
  }
  if (!lift) return undefined;
  const unlock = lift;
  return () => {
    // While the lock is held: another process that opens the file from now on makes one of its own.
    remove();
    unlock();
  };
}

/** Whether a process has the lock now. @throws what opening the file throws. */
export function isProcessLocked(file: string): boolean {
  if (!existsSync(file)) return false;
  const database = new Database(file);
  try {
    // A shared lock: two that look do not take each other for the holder.
    database.exec('select count(*) from sqlite_schema');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    database.close();
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'SQLITE_BUSY';
}
