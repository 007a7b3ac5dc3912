// Finds files of dist/, for the built coordinator and for one that runs from its sources.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/**
 * @param path below dist/, e.g. "node/worker.js".
 * @returns its absolute path; undefined when it is not built.
 */
export function builtFile(path: string): string | undefined {
  // Bundles are in dist/ and sources beside it: the package's folder is above this file either way, and has a package.json.
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  const file = join(folder, 'dist', path);
  return existsSync(file) ? file : undefined;
}

const manifest = z.object({ name: z.literal('tabgrad'), version: z.string() });

export function packageVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))
    .version;
}
