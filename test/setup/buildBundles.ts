// End-to-end suites start the bundles that users start, and the browser of the packages: both are made ready once, before
// any test runs, so that suites that run side by side find them whole.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { unpackChromium } from '../../coordinator/local/chromium.ts';

export async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { timeout: 300_000 });
  await unpackChromium();
}
