// A blank page of the npm package's Chromium, with WebGPU on SwiftShader.

import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';

/** Any address of localhost is a secure context, which WebGPU asks for; no server stands behind it. */
const BLANK = 'http://localhost/blank';

export async function openSoftwareGpuPage(): Promise<{ page: Page; close: () => Promise<void> }> {
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
    timeout: 60_000,
  });
  const page = await browser.newPage();
  await page.route(BLANK, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(BLANK);
  return { page, close: () => browser.close() };
}
