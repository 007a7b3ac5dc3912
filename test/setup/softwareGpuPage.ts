// A blank page of the npm package's Chromium, with WebGPU on SwiftShader.

import type { Page } from 'playwright-core';
import { openChromium } from './openChromium.ts';

/** Any address of localhost is a secure context, which WebGPU asks for; no server stands behind it. */
const BLANK = 'http://localhost/blank';

export async function openSoftwareGpuPage(): Promise<{ page: Page; close: () => Promise<void> }> {
  const browser = await openChromium('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader');
  const page = await browser.newPage();
  await page.route(BLANK, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(BLANK);
  return { page, close: () => browser.close() };
}
