// Files and folders that are either whole or not there, whenever the process or the disk gives out.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { isDiskFull } from '../../files/isDiskFull.ts';
import { ResultWriteError } from '../trainErrors.ts';

/** @throws ResultWriteError */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const aside = join(dirname(path), unfinishedName());
  try {
    await writeDurably(aside, text);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw writeFailure(error, path);
  }
}

/**
 * Writes a folder of files. Readers go by its main file: one that is there is replaced in a single step, and whatever
 * lies beside it is of the same writing or not there.
 * @throws ResultWriteError
 */
export async function writeFolderAtomically(
  path: string,
  main: { readonly name: string; readonly content: string | Uint8Array },
  beside: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const aside = join(dirname(path), unfinishedName());
  try {
    await mkdir(aside, { recursive: true });
    await writeDurably(join(aside, main.name), main.content);
    for (const [name, content] of Object.entries(beside)) await writeDurably(join(aside, name), content);
    if ((await stat(path).catch(() => undefined))?.isDirectory() === true) {
      // A folder can't be renamed onto one with files in it, and two renames would leave a moment without either.
      for (const name of Object.keys(beside)) await rm(join(path, name), { force: true });
      for (const name of [main.name, ...Object.keys(beside)])
        await rename(join(aside, name), join(path, name));
      await rm(aside, { recursive: true });
    } else {
      await rename(aside, path);
    }
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    throw writeFailure(error, path);
  }
}

/** Removes what a killed process was writing. No process may be writing into the folder. */
export async function sweepUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.filter((name) => /^\.[0-9a-f-]{36}\.tmp$/.test(name))) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

const unfinishedName = (): string => `.${randomUUID()}.tmp`;

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
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
