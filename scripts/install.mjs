// Installs the locked packages when a fresh clone has none.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Runs `npm ci` in the current folder unless its packages are there already. Throws when npm fails. */
export function ensureInstalled() {
  if (existsSync('node_modules/.package-lock.json')) return;
  console.log('Installing packages (once)…');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) throw new Error(`npm ci failed with exit code ${npm.status}`);
}
