// Temporary folders that do not outlive their process for long: each says which process it belongs to, and coordinators remove
// at their start those of processes that were killed. They may hold rows, so only their owner can read them.

import { mkdtemp, lstat, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isGone, processMark, thisProcess } from './processMark.ts';

export type TemporaryPurpose = 'authority' | 'blob' | 'download' | 'recipe' | 'storage';

const OWNER_FILE = '.owner.json';
/** mkdtemp replaces the X's by six letters and digits. */
const ownName = /^tabgrad-[a-z]+-[A-Za-z0-9]{6}$/;
/** One is some 200 bytes long. */
const MAX_MARK_BYTES = 4096;

/** Makes a folder that its owner alone can read. @returns its path; the caller removes it. */
export async function makeTemporaryFolder(purpose: TemporaryPurpose, parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, `tabgrad-${purpose}-`));
  try {
    await writeFile(join(folder, OWNER_FILE), JSON.stringify(await thisProcess()), { mode: 0o600 });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/**
 * Removes temporary folders of this user whose processes are proven gone. What can not be proven stays: folders of other
 * users, machines and containers, and those that do not say whose they are.
 * @returns the paths of what was removed.
 */
export async function sweepTemporaryFolders(parent = tmpdir()): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  const removed: string[] = [];
  for (const name of names.filter((one) => ownName.test(one))) {
    const folder = join(parent, name);
    // Another process may sweep at the same time, and what it removes is gone here.
    const isLeft = await isLeftBehind(folder).catch(() => false);
    if (!isLeft) continue;
    await rm(folder, { recursive: true, force: true });
    removed.push(folder);
  }
  return removed;
}

async function isLeftBehind(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  // Windows has neither users' numbers nor modes; there the temporary folder is each user's own.
  const isOwn =
    process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o777) === 0o700);
  if (!found.isDirectory() || !isOwn) return false;
  const file = join(folder, OWNER_FILE);
  const owner = await lstat(file);
  if (!owner.isFile() || owner.size > MAX_MARK_BYTES) return false;
  const mark = processMark.safeParse(JSON.parse(await readFile(file, 'utf8')));
  return mark.success && isGone(mark.data);
}
