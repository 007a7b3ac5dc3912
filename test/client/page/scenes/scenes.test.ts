// Every page and state in a real browser, at a real coordinator: nothing against WCAG 2.2 AA in light, dark and high contrast,
// every control reached by the keyboard, and nothing that overflows or overlaps on narrow and wide screens.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';
import { sampled } from '../../../setup/longRun.ts';
import { openChromium } from '../../../setup/openChromium.ts';
import { startExampleSwarm, type ExampleSwarm } from './exampleSwarm.ts';
import { accessFaults, keyboardFaults, layoutFaults } from './pageFaults.ts';
import { scenes } from './scenes.ts';

const NARROW = 360;
const looks = [
  { colorScheme: 'light' },
  { colorScheme: 'dark' },
  { colorScheme: 'dark', contrast: 'more' },
] as const;

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
  it.each(sampled(scenes, 2))('$name can be used by everybody, on narrow and wide screens', async (scene) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const refused: string[] = [];
      const origins = new Set<string>();
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) refused.push(message.text());
      });
      page.on('request', (request) => origins.add(new URL(request.url()).origin));
      await scene.open(page, swarm);
      for (const media of looks) {
        await page.emulateMedia(media);
        expect(await accessFaults(page)).toEqual([]);
      }
      expect(await keyboardFaults(page)).toEqual([]);
      for (const width of [NARROW, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await layoutFaults(page), `at ${width} pixels`).toEqual([]);
        // What scrolls there alone has to be reached, too.
        if (width === NARROW) expect(await accessFaults(page)).toEqual([]);
      }
      expect(refused).toEqual([]);
      expect([...origins].filter((origin) => origin !== 'null')).toEqual([swarm.coordinator.url]);
    } finally {
      await context.close();
    }
  });
});
