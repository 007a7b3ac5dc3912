// End-to-end suites start the bundles that users start, so they are built once before any test runs.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { timeout: 120_000 });
}
