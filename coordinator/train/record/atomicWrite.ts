// Files and folders that are either whole or not there, whenever the process or the disk gives out.

import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { isDiskFull } from '../../files/isDiskFull.ts';
import { ResultWriteError } from '../trainErrors.ts';

/** @throws ResultWriteError */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const aside = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await writeDurably(aside, text);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw writeFailure(error, path);
  }
}

/**
 * Writes a folder of text files; one that is there is replaced.
 * @throws ResultWriteError
 */
export async function writeFolderAtomically(
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const aside = join(dirname(path), `.${randomUUID()}.tmp`);
  const old = `${aside}.old`;
  try {
    await mkdir(aside, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeDurably(join(aside, name), text);
    // A folder can't be renamed onto one with files in it.
    await rename(path, old).catch(() => undefined);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    await rename(old, path).catch(() => undefined);
    throw writeFailure(error, path);
  }
  await rm(old, { recursive: true, force: true });
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

export function writeFailure(error: unknown, path: string): ResultWriteError {
  if (error instanceof ResultWriteError) return error;
  const reason = isDiskFull(error)
    ? 'the disk has no room left. Free some, or choose another storagePath'
    : messageOf(error);
  return new ResultWriteError(`${path} can not be written: ${reason}.`, { file: path }, { cause: error });
}
