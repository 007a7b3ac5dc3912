// What the paths that a user gives stand for: files, folders, prefixes, URLs, or a list of these.

import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { DataArgumentError, FolderEmptyError } from '../plan/dataErrors.ts';
import { fileURLToPath } from 'node:url';
import { seePastReplacements } from './replaceParts.ts';
import type { FileLocation } from './byteFile.ts';
import { partitionsOf } from './partitionsOf.ts';
import { httpFile } from './httpFile.ts';
import { localError, localFile } from './localFile.ts';
import type { StoreOptions } from './storeOptions.ts';
import { S3Store } from './s3Store.ts';

export type Paths = string | readonly string[];

/** Yields the files of a path list; done lazily, since listing a bucket takes requests. */
export type ListFiles = (signal: AbortSignal | undefined) => Promise<readonly FileLocation[]>;

/** A function that lists the files when the data is first needed. */
export function listFiles(
  paths: Paths,
  extensions: readonly string[],
  options: StoreOptions,
): (signal: AbortSignal | undefined) => Promise<readonly FileLocation[]> {
  const list = typeof paths === 'string' ? [paths] : paths;
  if (list.length === 0) throw new DataArgumentError('The list of paths is empty.', { field: 'paths' });
  const { timeoutMs = 30_000, retries = 3, retryDelayMs = 200, hivePartitioning = true } = options;
  const settings = { timeoutMs, retries, retryDelayMs };
  return async (signal) => {
    const files: FileLocation[] = [];
    for (const path of list) {
      if (path.startsWith('s3://')) {
        const isWanted = (key: string): boolean => isData(key.split('/'), extensions);
        files.push(...(await new S3Store(path, options.s3 ?? {}, settings).list(isWanted, signal)));
      } else if (/^https?:\/\//.test(path)) {
        files.push(httpFile(webUrl(path), path, settings));
      } else {
        files.push(...(await listLocal(localPath(path), extensions)));
      }
    }
    return hivePartitioning
      ? files
      : files.map((file) => ({ name: file.name, open: (signal) => file.open(signal) }));
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
      .map(([name, file]) => ({ parts: relative(path, name).split(sep), file }))
      .filter(({ parts }) => isData(parts, extensions))
      .sort((a, b) => (a.parts.join(sep) < b.parts.join(sep) ? -1 : 1));
    if (files.length === 0) {
      const others = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => extname(name)));
      others.delete('');
      const found =
        others.size === 0 ? '' : ` It has ${[...others].slice(0, 5).join(', ')}: name their format.`;
      throw new FolderEmptyError(`The folder ${path} holds no ${extensions.join(' or ')} file.${found}`, {
        file: path,
      });
    }
    return files.map(({ parts, file }) => ({
      ...localFile(file),
      partitions: partitionsOf(parts.slice(0, -1)),
    }));
  } catch (error) {
    throw localError(error, path);
  }
}

/**
 * Files and folders whose name begins with a dot or an underscore are being written, or belong to other tools (.git,
 * _SUCCESS, _temporary, _delta_log); those of partitions have a "=".
 * @param parts of the path below what was asked for, the file's name last.
 */
function isData(parts: readonly string[], extensions: readonly string[]): boolean {
  const name = parts.at(-1)!.toLowerCase();
  return !parts.some(isHidden) && extensions.some((extension) => name.endsWith(extension));
}

function isHidden(name: string): boolean {
  return name.startsWith('.') ? !/^\.{1,2}$/.test(name) : name.startsWith('_') && !name.includes('=');
}
