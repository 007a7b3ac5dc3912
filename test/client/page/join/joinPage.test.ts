// The volunteer's page in a real browser, at a real coordinator, with a real worker beside it.

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unpackChromium } from '../../../../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';

const path = scratchFolder();
let coordinator: Coordinator;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let other: Awaited<ReturnType<typeof startLocalWorkers>>;

beforeAll(async () => {
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  coordinator = await startCoordinator({ port: 0 });
  other = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 1,
    runtime: 'node',
    device: 'cpu',
  });
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
    timeout: 60_000,
  });
});
afterAll(async () => {
  await browser?.close();
  await other?.stop();
  await coordinator?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await openPage();
});
afterEach(() => context.close());

async function openPage(): Promise<Page> {
  const opened = await context.newPage();
  opened.setDefaultTimeout(90_000);
  return opened;
}

const joinUrl = (): string => coordinator.joinUrl;
const stateIs = (title: string, where = page): Promise<unknown> =>
  where.waitForFunction((wanted) => document.querySelector('#state')?.textContent === wanted, title);

async function lend(): Promise<void> {
  await page.goto(joinUrl());
  await page.click('#join');
  await stateIs('Waiting for work');
}

/** Trains at the coordinator until `over` fires, with any two workers. */
function train(name: string, rounds: number, over: AbortSignal): Promise<unknown> {
  const rows = Array.from({ length: 4000 }, (_, i) => ({ x: i % 97, z: i % 13, y: (i % 97) * 2 + (i % 13) }));
  const trainer = new GBDTTrainer({
    datasets: { train: fromItems(rows) },
    labelColumn: 'y',
    params: { objective: 'reg:squarederror', max_depth: 4, eta: 0.01 },
    numBoostRound: rounds,
    scalingConfig: {
      url: coordinator.url,
      token: coordinator.tokens.admin,
      numWorkers: 2,
      runtime: ['browser', 'node'],
      device: 'cpu',
    },
    runConfig: { name, storagePath: path(''), verbose: 0 },
  });
  return trainer.fit({ signal: over }).catch((error: unknown) => {
    if (!over.aborted) throw error;
  });
}

/** Lends the page to a run that goes on until `body` is done, with a worker in Node beside it. */
async function whileTraining(name: string, body: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  await lend();
  const training = train(name, 100_000, over.signal);
  try {
    await stateIs('Training');
    await body();
  } finally {
    over.abort();
    await training;
  }
}

const tab = () => coordinator.pool.workers().find(({ runtime }) => runtime === 'browser');

/** Rounds that the page says it gave: 0 in this visit, 1 in all. */
async function rounds(visits: 0 | 1 = 0): Promise<number> {
  const text = await page.locator('#contribution td.number').nth(visits).textContent();
  return Number(text?.replaceAll(',', ''));
}

/** Nothing is computed any more: the round in flight is ended first. */
async function isStill(): Promise<void> {
  const inASecond = async (): Promise<number> => {
    const before = await rounds();
    await page.waitForTimeout(1000);
    return (await rounds()) - before;
  };
  await expect.poll(inASecond, { timeout: 20_000 }).toBe(0);
}

describe('the first look', () => {
  it('takes less than 60 KB and none of the trainer, and runs nothing', async () => {
    const network = await context.newCDPSession(page);
    await network.send('Network.enable');
    let received = 0;
    network.on('Network.loadingFinished', ({ encodedDataLength }) => (received += encodedDataLength));
    const paths: string[] = [];
    page.on('request', (request) => paths.push(new URL(request.url()).pathname));
    const told = page.waitForResponse((answer) => answer.url().endsWith('/project.json'));
    await page.goto(joinUrl());
    await (await told).finished();
    await stateIs('Ready when you are');
    await page.waitForTimeout(500);
    expect(received).toBeGreaterThan(10_000);
    expect(received).toBeLessThan(60_000);
    expect(paths.filter((asked) => /compute|uPlot|drawLines|ownerThread|tf/i.test(asked))).toEqual([]);
    expect(paths.filter((asked) => !asked.startsWith('/assets/'))).toEqual(['/join', '/project.json']);
    expect(tab()).toBeUndefined();
  });

  it('asks no other host, and keeps the token out of all addresses', async () => {
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await lend();
    const token = new URLSearchParams(new URL(joinUrl()).hash.slice(1)).get('token')!;
    for (const address of addresses) {
      expect(new URL(address).origin).toBe(coordinator.url);
      expect(address).not.toContain(token);
    }
  });
});

describe('a tab that lends', () => {
  it('trains, shows what it gives, and halts for a limit', async () => {
    await whileTraining('shown', async () => {
      await page.waitForSelector('.chart canvas');
      await page.waitForSelector('#links tbody tr');
      expect(await page.textContent('#health')).toBe(
        'All links are direct: your network lets peers connect.',
      );
      await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(5);
      await page.selectOption('#schedule', 'hidden');
      await stateIs('Paused by a limit');
      expect(await page.textContent('#note')).toBe('Work goes on when you look at another tab.');
      await isStill();
      await page.selectOption('#schedule', 'always');
      await stateIs('Training');
    });
  });

  it('halts for its volunteer, goes on, and leaves', async () => {
    await whileTraining('paused', async () => {
      await page.click('#pause');
      await stateIs('Paused');
      await isStill();
      await page.click('#resume');
      await stateIs('Training');
      await page.click('#leave');
      await stateIs('You left');
      expect(tab()).toBeUndefined();
      await page.reload();
      await stateIs('Ready when you are');
    });
  });

  it('lends again after a reload, without a click', async () => {
    await whileTraining('reloaded', async () => {
      await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(5);
      await page.reload();
      await stateIs('Training');
      expect(await rounds(1)).toBeGreaterThan(5);
    });
  });

  it('keeps a budget of data, for the day', async () => {
    await context.addInitScript(() => {
      const day = new Date().toISOString().slice(0, 10);
      localStorage.setItem('tabgrad.day', JSON.stringify({ day, bytes: 600_000_000 }));
    });
    await page.goto(joinUrl());
    await page.selectOption('#data-budget', '500000000');
    await page.click('#join');
    await stateIs('Paused by a limit');
    expect(await page.textContent('#note')).toContain('data budget of today');
    await page.selectOption('#data-budget', '1000000000');
    await stateIs('Waiting for work');
  });

  it('is one of a browser: another tab waits until it is gone', async () => {
    await lend();
    const second = await openPage();
    await second.goto(joinUrl());
    await second.click('#join');
    await stateIs('Another tab lends already', second);
    await second.click('#stop-waiting');
    await stateIs('Ready when you are', second);
    await second.click('#join');
    await stateIs('Another tab lends already', second);
    await page.close();
    await stateIs('Waiting for work', second);
  });

  it('is told why it is not let in, and what a browser without WebGPU lends', async () => {
    await page.goto(`${coordinator.url}/join#token=wrong`);
    await page.waitForFunction(() => document.querySelector('.lent')?.textContent?.includes('no WebGPU'));
    await page.click('#join');
    await stateIs('Not let in');
    expect(await page.textContent('#problem')).toContain('Ask the owner for the join link.');
  });

  it('shows a code of its link, and forgets what it keeps', async () => {
    await lend();
    await page.click('summary');
    await page.waitForSelector('#invite-code');
    expect(await page.getAttribute('#invite-code', 'src')).toMatch(/^data:image\/gif;base64,/);
    expect(await page.textContent('#kept')).toBe('Nothing is kept in this browser.');
  });
});

describe('the page', () => {
  it.each([360, 768, 1440])('fits into %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await lend();
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    expect(wide).toEqual([]);
  });

  it('is used by keyboard alone', async () => {
    await page.goto(joinUrl());
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('join');
    await page.keyboard.press('Enter');
    await stateIs('Waiting for work');
  });
});
