// Files of keys: in a folder that their owner alone can open, made once, and never seen half-written.

import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { TlsFileError } from './tlsErrors.ts';

/** @throws TlsFileError */
export async function prepareKeyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (cause) {
    throw new TlsFileError(
      `The folder ${folder} for keys can not be made: ${messageOf(cause)}.`,
      { file: folder },
      { cause },
    );
  }
}

/**
 * What the file holds; undefined where there is none. Others may not read it from then on.
 * @throws TlsFileError
 */
export function readKeyFile(file: string): Promise<string | undefined> {
  return namingFile(file, async () => {
    const found = await readIfThere(file);
    // A backup that was put back may have lost this.
    if (found !== undefined) await chmod(file, 0o600);
    return found;
  });
}

/** What the file holds; made where it is missing. Two processes that make it at once end with the same. @throws TlsFileError */
export async function readOrMakeKeyFile(file: string, make: () => string): Promise<string> {
  const found = await readKeyFile(file);
  if (found !== undefined) return found;
  return namingFile(file, async () => {
    await writeAside(file, make(), (aside) => link(aside, file)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    return readFile(file, 'utf8');
  });
}

/** Writes the file anew where it holds something else. @throws TlsFileError */
export function replaceFile(file: string, content: string): Promise<void> {
  return namingFile(file, async () => {
    if ((await readIfThere(file)) === content) return;
    await writeAside(file, content, (aside) => rename(aside, file));
  });
}

/** Removes the file if it still holds `content`: another process may have replaced it meanwhile. @throws TlsFileError */
export function removeKeyFile(file: string, content: string): Promise<void> {
  return namingFile(file, async () => {
    if ((await readIfThere(file)) !== content) return;
    const aside = asideOf(file);
    try {
      await rename(file, aside);
      if ((await readFile(aside, 'utf8')) !== content) await link(aside, file);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
    } finally {
      await rm(aside, { force: true });
    }
  });
}

async function writeAside(
  file: string,
  content: string,
  place: (aside: string) => Promise<void>,
): Promise<void> {
  const aside = asideOf(file);
  try {
    await writeFile(aside, content, { mode: 0o600, flag: 'wx', flush: true });
    await place(aside);
  } finally {
    await rm(aside, { force: true });
  }
}

function asideOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}`;
}

async function namingFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new TlsFileError(`The key file ${file} can not be used: ${messageOf(cause)}.`, { file }, { cause });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
