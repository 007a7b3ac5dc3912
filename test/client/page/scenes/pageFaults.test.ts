import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChromium } from '../../../setup/openChromium.ts';
import { accessFaults, keyboardFaults, layoutFaults } from './pageFaults.ts';

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openChromium();
  page = await browser.newPage({ viewport: { width: 400, height: 400 } });
});
afterAll(() => browser?.close());

it('finds text that leaves the page', async () => {
  await page.setContent(
    '<p style="white-space:nowrap">a line of many words that is far too long for the 400 pixels of width that this window has</p>',
  );
  expect(await layoutFaults(page)).toHaveLength(2);
});

it('finds text that lies on other text, and leaves alone what nobody sees', async () => {
  await page.setContent('<h1 class="unseen">above</h1><p>below</p><p style="margin-top:-2.2rem">over it</p>');
  expect(await layoutFaults(page)).toEqual(['"below" lies on "over it"']);
});

it('finds pale text and fields without a label', async () => {
  await page.setContent(
    '<main><h1 style="color:#ccc;background:#fff">pale</h1><input type="text"></main><title>t</title>',
  );
  const faults = await accessFaults(page);
  expect(faults.some((fault) => fault.startsWith('color-contrast'))).toBe(true);
  expect(faults.some((fault) => fault.startsWith('label:'))).toBe(true);
});

it('finds controls that the keyboard does not reach, or where it is not seen', async () => {
  await page.setContent(
    '<button>one</button><button tabindex="-1">two</button><a href="#x" style="outline:none">three</a>',
  );
  expect(await keyboardFaults(page)).toEqual([
    'a "three" does not show that it has the focus',
    'button "two" is not reached by the keyboard',
  ]);
});
