// Files of a folder change hands together: the new ones are complete in a hidden folder beside them, together with a
// list of what they replace, before any of them moves. Whenever the move is cut short, the rest of it is on disk:
// readers see past it (seePastReplacements), and the next writer ends it.

import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

const PREFIX = '.replacing-';
/** Names of the files that go, beside the new ones. */
const SURPLUS = '.surplus';

const surplusForm = z.array(z.string().regex(/^[^/\\]+$/));

/**
 * Moves all files of `staging`, a folder in `folder`, into `folder`, and removes those of the `present` that none of them
 * takes the place of.
 */
export async function replaceParts(
  folder: string,
  staging: string,
  present: readonly string[],
): Promise<void> {
  const coming = new Set(await readdir(staging));
  const list = await open(join(staging, SURPLUS), 'wx');
  try {
    await list.writeFile(JSON.stringify(present.filter((name) => !coming.has(name))));
    await list.sync();
  } finally {
    await list.close();
  }
  const ready = join(folder, `${PREFIX}${randomUUID()}`);
  // Until here the folder is as it was; from here on it is as it will be.
  await rename(staging, ready);
  await finish(folder, ready);
}

/** Ends replacements that a killed process began. */
export async function finishReplacements(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(PREFIX)) await finish(folder, join(folder, name));
  }
}

async function finish(folder: string, ready: string): Promise<void> {
  const surplus = await surplusOf(ready);
  for (const name of await readdir(ready)) {
    if (name !== SURPLUS) await rename(join(ready, name), join(folder, name));
  }
  for (const name of surplus) await rm(join(folder, name), { force: true });
  await rm(ready, { recursive: true });
}

/** None where the list is gone already: it goes last. */
async function surplusOf(ready: string): Promise<string[]> {
  const text = await readFile(join(ready, SURPLUS), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  return surplusForm.parse(JSON.parse(text));
}

/**
 * What a listing amounts to once the replacements in it are done.
 * @param paths all files of a folder and of the folders in it.
 * @returns by the path that a file will have, the path that it has now.
 */
export async function seePastReplacements(paths: readonly string[]): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const ready = new Set<string>();
  for (const path of paths) {
    if (basename(dirname(path)).startsWith(PREFIX)) ready.add(dirname(path));
    else seen.set(path, path);
  }
  for (const folder of ready) {
    for (const name of await surplusOf(folder)) seen.delete(join(dirname(folder), name));
  }
  for (const path of paths) {
    const folder = dirname(path);
    if (ready.has(folder)) seen.set(join(dirname(folder), basename(path)), path);
  }
  return seen;
}
