// End-to-end suites start the bundles that users start, and the browser of the packages: both are made ready once, before
// any test runs, so that suites that run side by side find them whole.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';

/** @returns removes the folder in which coordinators of the tests leave their tokens, instead of the user's own. */
export async function setup(): Promise<() => Promise<void>> {
  const state = await mkdtemp(join(tmpdir(), 'tabgrad-state-'));
  process.env['TABGRAD_STATE_DIR'] = state;
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { timeout: 300_000 });
  await unpackChromium();
  return () => rm(state, { recursive: true, force: true });
}
