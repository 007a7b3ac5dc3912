// `npm test` from nothing: installs the packages if they are missing, runs every suite,
// and ends with the plain line "N passed, N failed".
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { ensureInstalled } from './install.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
ensureInstalled();
mkdirSync('.cache', { recursive: true });
const report = '.cache/test-report.json';
// A run that dies early must not be counted by the report of an earlier one.
rmSync(report, { force: true });
const filters = process.argv.slice(2);
const child = spawn(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ],
  { stdio: 'inherit' },
);
child.on('exit', (code) => {
  const counts = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 1 };
  const failed = counts.numFailedTests + (code !== 0 && counts.numFailedTests === 0 ? 1 : 0);
  const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : '';
  console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped}`);
  process.exit(code ?? 1);
});
