// Every page and state in a real browser, at a real coordinator: nothing against WCAG 2.2 AA in either theme, and nothing
// that overflows or overlaps on narrow and wide screens.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';
import { openChromium } from '../../../setup/openChromium.ts';
import { startExampleSwarm, type ExampleSwarm } from './exampleSwarm.ts';
import { accessFaults, layoutFaults } from './pageFaults.ts';
import { scenes } from './scenes.ts';

const path = scratchFolder();
let swarm: ExampleSwarm;
let browser: Browser;

beforeAll(async () => {
  swarm = await startExampleSwarm(path(''));
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await swarm?.close();
});

describe('the pages', () => {
  it.each(scenes)('$name can be used by everybody, on narrow and wide screens', async (scene) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await scene.open(page, swarm);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await accessFaults(page)).toEqual([]);
      }
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await layoutFaults(page), `at ${width} pixels`).toEqual([]);
      }
    } finally {
      await context.close();
    }
  });
});
