// Says whether dist/ is missing or older than what it is built from.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = [
  'kernels',
  'shared',
  'client',
  'coordinator',
  'scripts/build.mjs',
  'scripts/bundledPackages.mjs',
  'package.json',
  'vite.config.ts',
  'package-lock.json',
];
const products = [
  'dist/node/cli.js',
  'dist/node/worker.js',
  'dist/node/tfjsThread.js',
  'dist/deno/worker.js',
  'dist/vendor/tfjs.js',
  'dist/owner/tabgrad.js',
  'dist/page/join.html',
];

/** @returns true when a product is missing, or a source is newer than the oldest product. */
export function isStale() {
  if (!products.every((file) => existsSync(file))) return true;
  const builtAt = Math.min(...products.map((file) => statSync(file).mtimeMs));
  return newest(sources) > builtAt;
}

function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    latest = Math.max(
      latest,
      status.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : status.mtimeMs,
    );
  }
  return latest;
}
