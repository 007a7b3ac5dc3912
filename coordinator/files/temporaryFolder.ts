// Temporary folders that do not outlive their process for long: each is locked by the process that made it, and coordinators
// remove at their start those whose lock the system has lifted. They may hold rows, so their owner alone can read them.

import { existsSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeProcessLock } from './processLock.ts';

export interface TemporaryFolder {
  readonly path: string;
  /** Idempotent. */
  remove(): Promise<void>;
}

const LOCK_FILE = '.lock';
/** mkdtemp replaces six X's by letters and digits. */
const ownName = /^tabgrad-[a-z]+-[A-Za-z0-9]{6}$/;

/**
 * Makes a folder that its owner alone can read, for as long as this process lives.
 * @param purpose is part of its name.
 * @throws the system's errors.
 */
export async function makeTemporaryFolder(
  purpose: 'authority' | 'blob' | 'download' | 'recipe' | 'storage',
  parent = tmpdir(),
): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(parent, `tabgrad-${purpose}-`));
  try {
    const lift = takeProcessLock(join(path, LOCK_FILE));
    const remove = async (): Promise<void> => {
      lift?.();
      await rm(path, { recursive: true, force: true });
    };
    // A coordinator that starts may have taken it for one that was left behind, between its making and its locking.
    if (lift !== undefined && existsSync(join(path, LOCK_FILE))) return { path, remove };
    await remove();
    throw new Error(`${path} was removed by another process`);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Removes temporary folders of this user whose processes have ended. Those without a lock stay, and those that others can
 * read: their owner is unknown.
 * @returns the paths of what was removed.
 */
export async function sweepTemporaryFolders(parent = tmpdir()): Promise<string[]> {
  const removed: string[] = [];
  for (const name of (await readdir(parent)).filter((one) => ownName.test(one))) {
    // What fails here has been removed by another process, or is looked at by the next coordinator.
    if (await removeLeftBehind(join(parent, name)).catch(() => false)) removed.push(join(parent, name));
  }
  return removed;
}

async function removeLeftBehind(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  // Windows has neither numbers of users nor modes; there the temporary folder is each user's own.
  const isOwn =
    process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o777) === 0o700);
  const file = join(folder, LOCK_FILE);
  if (!found.isDirectory() || !isOwn || !existsSync(file)) return false;
  const lift = takeProcessLock(file);
  if (lift === undefined) return false;
  try {
    await rm(folder, { recursive: true, force: true });
  } finally {
    lift();
  }
  return true;
}
