// Takes a picture of every page and state in both themes into docs/pages: `npm run pictures`, or of some,
// `npm run pictures -- join dashboard-run`.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChromium } from '../../../setup/openChromium.ts';
import { startExampleSwarm } from './exampleSwarm.ts';
import { scenes } from './scenes.ts';

const FOLDER = 'docs/pages';
const VIEWPORT = { width: 1000, height: 760 };
/** Of long pages the beginning is shown. */
const MAX_HEIGHT = 1400;

const wanted = process.argv.slice(2);
const results = await mkdtemp(join(tmpdir(), 'tabgrad-pictures-'));
await mkdir(FOLDER, { recursive: true });
const swarm = await startExampleSwarm(results);
const browser = await openChromium();
try {
  for (const scene of scenes) {
    const { name } = scene;
    if (wanted.length > 0 && !wanted.some((word) => name.startsWith(word))) continue;
    const context = await browser.newContext({ viewport: VIEWPORT, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await scene.open(page, swarm);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Colours of charts are asked for when they are drawn.
      await page.setViewportSize({ ...VIEWPORT, width: VIEWPORT.width - 1 });
      await page.setViewportSize(VIEWPORT);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      const clip = { x: 0, y: 0, width: VIEWPORT.width, height: Math.min(height, MAX_HEIGHT) };
      await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}.png`, fullPage: true, clip });
    }
    process.stdout.write(`${name}\n`);
    await context.close();
  }
} finally {
  await browser.close();
  await swarm.close();
  await rm(results, { recursive: true });
}
