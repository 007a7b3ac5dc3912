// What the paths that a user gives stand for: files, folders, prefixes, URLs, or a list of these.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataArgumentError, FolderEmptyError } from '../errors.ts';
import type { FileLocation } from './byteFile.ts';
import { localError, localFile } from './localFile.ts';

export type Paths = string | readonly string[];

export interface StoreOptions {
  /** How long to wait for a host to begin to answer, and for each piece; 30 s by default. */
  readonly timeoutMs?: number;
}

/** A function that lists the files when the data is first needed. */
export function listFiles(
  paths: Paths,
  extensions: readonly string[],
  _options: StoreOptions,
): (signal: AbortSignal | undefined) => Promise<readonly FileLocation[]> {
  const list = typeof paths === 'string' ? [paths] : paths;
  if (list.length === 0) throw new DataArgumentError('The list of paths is empty.', { field: 'paths' });
  return async () => {
    const files: FileLocation[] = [];
    for (const path of list) files.push(...(await listLocal(path, extensions)));
    return files;
  };
}

/** For plans and stats. */
export function labelOf(paths: Paths): string {
  if (typeof paths === 'string') return paths;
  return paths.length === 1 ? paths[0]! : `${paths[0]} and ${paths.length - 1} more`;
}

async function listLocal(path: string, extensions: readonly string[]): Promise<FileLocation[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [localFile(path)];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && isData(entry.name, extensions))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (files.length === 0) {
      throw new FolderEmptyError(`The folder ${path} holds no ${extensions.join(' or ')} file.`, {
        file: path,
      });
    }
    return files.map(localFile);
  } catch (error) {
    throw localError(error, path);
  }
}

/** Files whose name begins with a dot or an underscore are marks of other tools (_SUCCESS, .crc). */
function isData(name: string, extensions: readonly string[]): boolean {
  return !/^[._]/.test(name) && extensions.some((extension) => name.toLowerCase().endsWith(extension));
}
