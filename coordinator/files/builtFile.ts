// Finds files of dist/, for the built coordinator and for one that runs from its sources.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param path below dist/, e.g. "node/worker.js".
 * @returns its absolute path; undefined when it is not built.
 */
export function builtFile(path: string): string | undefined {
  // The bundles are in dist/ and the sources beside it: one of the folders above this file holds dist/ either way.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'dist', path);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}
