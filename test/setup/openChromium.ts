// The npm package's Chromium, as tests with pages of their own use it.

import { chromium, type Browser } from 'playwright-core';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';

/** @param flags beside those that every test needs. */
export async function openChromium(...flags: readonly string[]): Promise<Browser> {
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', ...flags],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
    timeout: 60_000,
  });
}
