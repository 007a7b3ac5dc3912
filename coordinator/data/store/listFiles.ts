// What the paths that a user gives stand for: files, folders, prefixes, URLs, or a list of these.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { DataArgumentError, FolderEmptyError } from '../errors.ts';
import { fileURLToPath } from 'node:url';
import { seePastReplacements } from '../sink/replaceParts.ts';
import type { FileLocation } from './byteFile.ts';
import { httpFile } from './httpFile.ts';
import { localError, localFile } from './localFile.ts';
import type { S3Options } from './s3Location.ts';
import { S3Store } from './s3Store.ts';

export type Paths = string | readonly string[];

export interface StoreOptions {
  /** How long to wait for a host to begin to answer, and for each piece of the answer; 30 s by default. */
  readonly timeoutMs?: number;
  /** Further attempts after a lost connection or a status 429 or 5xx; 3 by default. */
  readonly retries?: number;
  /** Wait before the first further attempt, doubled for each; 200 ms by default. */
  readonly retryDelayMs?: number;
  readonly s3?: S3Options;
}

/** A function that lists the files when the data is first needed. */
export function listFiles(
  paths: Paths,
  extensions: readonly string[],
  options: StoreOptions,
): (signal: AbortSignal | undefined) => Promise<readonly FileLocation[]> {
  const list = typeof paths === 'string' ? [paths] : paths;
  if (list.length === 0) throw new DataArgumentError('The list of paths is empty.', { field: 'paths' });
  const { timeoutMs = 30_000, retries = 3, retryDelayMs = 200 } = options;
  const settings = { timeoutMs, retries, retryDelayMs };
  return async (signal) => {
    const files: FileLocation[] = [];
    for (const path of list) {
      if (path.startsWith('s3://')) {
        const isWanted = (key: string): boolean => isData(key.slice(key.lastIndexOf('/') + 1), extensions);
        files.push(...(await new S3Store(path, options.s3 ?? {}, settings).list(isWanted, signal)));
      } else if (/^https?:\/\//.test(path)) {
        files.push(httpFile(webUrl(path), path, settings));
      } else {
        files.push(...(await listLocal(localPath(path), extensions)));
      }
    }
    return files;
  };
}

function webUrl(path: string): URL {
  if (!URL.canParse(path)) throw new DataArgumentError(`"${path}" is not a URL.`, { field: 'paths' });
  return new URL(path);
}

function localPath(path: string): string {
  if (path.startsWith('file://')) return fileURLToPath(path);
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1];
  if (scheme === undefined) return path;
  throw new DataArgumentError(
    `"${path}": ${scheme}:// is not supported; http://, https://, s3:// and file:// are.`,
    {
      field: 'paths',
    },
  );
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
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const files = [...(await seePastReplacements(paths))]
      .filter(([name]) => isVisible(relative(path, name)) && isData(basename(name), extensions))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, file]) => file);
    if (files.length === 0) {
      const others = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => extname(name)));
      others.delete('');
      const found =
        others.size === 0 ? '' : ` It has ${[...others].slice(0, 5).join(', ')}: name their format.`;
      throw new FolderEmptyError(`The folder ${path} holds no ${extensions.join(' or ')} file.${found}`, {
        file: path,
      });
    }
    return files.map(localFile);
  } catch (error) {
    throw localError(error, path);
  }
}

/** Hidden folders hold what is being written, or belong to other tools (.git). */
function isVisible(path: string): boolean {
  return !dirname(path)
    .split(sep)
    .some((name) => /^\.[^.]/.test(name));
}

/** Files whose name begins with a dot or an underscore are marks of other tools (_SUCCESS, .crc). */
function isData(name: string, extensions: readonly string[]): boolean {
  return !/^[._]/.test(name) && extensions.some((extension) => name.toLowerCase().endsWith(extension));
}
