// The volunteer's page in a real browser, at a real coordinator, with a real worker beside it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unpackChromium } from '../../../../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { PoolEvent } from '../../../../coordinator/core/pool/poolWorker.ts';
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
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
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

interface Training {
  readonly name: string;
  readonly rounds: number;
  readonly workers?: number;
  readonly device?: 'cpu' | undefined;
  readonly over?: AbortSignal;
}

/** Trains at the coordinator until `over` fires. @returns the model; none of a run that was given up. */
async function train({ name, rounds, workers = 2, device, over }: Training): Promise<Buffer | undefined> {
  const rows = Array.from({ length: 4000 }, (_, i) => ({ x: i % 97, z: i % 13, y: (i % 97) * 2 + (i % 13) }));
  const trainer = new GBDTTrainer({
    datasets: { train: fromItems(rows) },
    labelColumn: 'y',
    params: { objective: 'reg:squarederror', max_depth: 4, eta: 0.01 },
    numBoostRound: rounds,
    scalingConfig: {
      url: coordinator.url,
      token: coordinator.tokens.admin,
      numWorkers: workers,
      runtime: ['browser', 'node'],
      ...(device && { device }),
    },
    runConfig: { name, storagePath: path(''), verbose: 0 },
  });
  try {
    const { checkpoint } = await trainer.fit(over && { signal: over });
    return checkpoint && (await readFile(join(checkpoint.path, 'model.json')));
  } catch (error) {
    if (over?.aborted !== true) throw error;
    return undefined;
  }
}

/** Lends the page to a run that goes on until `body` is done, with a worker in Node beside it. */
async function whileTraining(name: string, body: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  await lend();
  const training = train({ name, rounds: 100_000, device: 'cpu', over: over.signal });
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
      expect(await page.textContent('#links tbody tr')).toMatch(/direct, same network/);
      await expect.poll(() => page.textContent('.peers text')).toMatch(/^(< )?[\d.]+ ms$/);
      expect(await page.textContent('.facts')).toContain('each worker takes them all');
      await page.click('#look');
      await page.waitForSelector('#held-rows td');
      expect(await page.textContent('#held')).toMatch(/^Rows here: 4,000 of “train”\./);
      expect(await page.locator('#held-rows th').allTextContents()).toEqual(['label', 'x', 'z']);
      // y = 2 x + z of the first rows; x has 97 values and z 13, a step each.
      const shown = await page.locator('#held-rows tbody tr').allTextContents();
      expect(shown).toHaveLength(5);
      // Tasks of the page's own thread that would hold up its user.
      await page.evaluate(() => {
        const tasks: number[] = [];
        Object.assign(globalThis, { tasks });
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) tasks.push(duration);
        }).observe({ type: 'longtask' });
      });
      await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(200);
      const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks);
      // The browser tells of 50 ms and more; a busy machine may take a thread's turn away for as long.
      expect(tasks.filter((ms) => ms > 100)).toEqual([]);
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

  it('goes on as the same worker after a reload, and says what came of the run', async () => {
    await page.goto(`${joinUrl()}&name=Ada`);
    await page.click('#join');
    await stateIs('Waiting for work');
    const before = tab();
    const events: PoolEvent[] = [];
    const stop = coordinator.pool.on((event) => void events.push(event));
    const training = train({ name: 'reloaded', rounds: 800 });
    await stateIs('Training');
    await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(5);
    await page.reload();
    await stateIs('Training');
    expect(await rounds(1)).toBeGreaterThan(5);
    const { workerId, name, life, runId } = tab()!;
    expect({ workerId, name }).toEqual({ workerId: before?.workerId, name: 'Ada' });
    expect(life).toBeGreaterThan(before!.life);
    expect(runId).toBeDefined();
    const lost = events.filter(({ type }) => type === 'lost').map(({ worker }) => worker.workerId);
    expect(lost).toEqual([workerId]);
    const model = await training;
    stop();
    await page.waitForSelector('#result');
    expect(await page.textContent('#result-title')).toBe('The run is finished. Thank you!');
    expect(await page.textContent('#result')).toMatch(
      /^This tab took part in [\d,]+ of 800 rounds: [\d,]+ rows/,
    );
    expect(await page.textContent('section:has(#result) dl')).toContain('rmse');
    expect(await page.textContent('#state')).toBe('Waiting for work');
    const alone = await train({ name: 'undisturbed', rounds: 800, workers: 1 });
    expect(model?.length).toBeGreaterThan(100_000);
    expect(model?.equals(alone!)).toBe(true);
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

  it('is told why it is not let in, and what a browser without a GPU lends', async () => {
    const lent = (words: string): Promise<unknown> =>
      page.waitForFunction((part) => document.querySelector('.lent')?.textContent?.includes(part), words);
    await page.goto(`${coordinator.url}/join#token=wrong`);
    await lent('this browser offers a GPU in software only');
    await page.click('#join');
    await stateIs('Not let in');
    expect(await page.textContent('#note')).toContain('Ask the owner for a new one.');
    expect(await page.textContent('#problem')).toContain('Ask the owner for the join link.');
    await context.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
    );
    await page.goto(`${coordinator.url}/join?without`);
    await lent('this browser offers no WebGPU');
  });

  it('is told why it was sent away', async () => {
    await lend();
    await coordinator.moderation.remove(tab()!.workerId, { reason: 'spam', ban: 'worker' });
    await stateIs('Finished');
    expect(await page.textContent('#note')).toContain('spam');
    expect(tab()).toBeUndefined();
  });

  it('goes on with a new device when its GPU is lost, and says so', async () => {
    await page.goto(joinUrl().replace('/join', '/join?device=webgpu'));
    await page.click('#join');
    await stateIs('Waiting for work');
    expect(tab()?.device.kind).toBe('webgpu');
    const over = new AbortController();
    const training = train({ name: 'lost', rounds: 100_000, over: over.signal });
    try {
      await stateIs('Training');
      await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(1);
      const commands = await browser.newBrowserCDPSession();
      await commands.send('Browser.crashGpuProcess');
      await page.waitForFunction(() => document.querySelector('.facts')?.textContent?.includes('new device'));
      const before = await rounds();
      await expect.poll(() => rounds(), { timeout: 60_000 }).toBeGreaterThan(before + 1);
      expect(tab()?.device.kind).toBe('webgpu');
    } finally {
      over.abort();
      await training;
    }
  });

  it('works through the coordinator where the network blocks direct connections', async () => {
    await context.addInitScript(() => {
      const Direct = RTCPeerConnection;
      // Without a TURN server there is no path at all then.
      globalThis.RTCPeerConnection = class extends Direct {
        constructor(settings?: RTCConfiguration) {
          super({ ...settings, iceTransportPolicy: 'relay' });
        }
      };
    });
    await whileTraining('relayed', async () => {
      await page.waitForSelector('#links tbody tr');
      expect(await page.textContent('#health')).toBe(
        'Your network blocks direct connections; this tab works through the coordinator.',
      );
      expect(await page.textContent('#links tbody tr')).toContain('relayed');
      expect(await page.locator('.peers line.relayed').count()).toBe(1);
    });
  });

  it('says that its coordinator is gone, when it is loaded anew too, and goes on as the same worker', async () => {
    const options = {
      storagePath: path('record'),
      joinToken: 'join',
      adminToken: 'admin',
      log: () => undefined,
    };
    const first = await startCoordinator({ ...options, port: 0 });
    let workerId: string | undefined;
    let html = '';
    const port = Number(new URL(first.url).port);
    try {
      html = await (await fetch(`${first.url}/join`)).text();
      await page.goto(first.joinUrl);
      await page.click('#join');
      await stateIs('Waiting for work');
      await page.evaluate(async () => void (await navigator.serviceWorker.ready));
      workerId = first.pool.workers()[0]?.workerId;
    } finally {
      await first.close();
    }
    await stateIs('Connection lost');
    expect(await page.textContent('#note')).toContain('You keep your place for a while.');
    const kept = await page.evaluate(async () => {
      const cache = await caches.open('tabgrad-page');
      return (await cache.keys()).map(({ url }) => new URL(url).pathname);
    });
    const files = [...html.matchAll(/"\.(\/assets\/[^"]+)"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(2);
    expect(kept.toSorted()).toEqual(['/join', ...files].toSorted());
    // All but the first look is gone then, and the page can not even begin.
    await (await context.newCDPSession(page)).send('Network.clearBrowserCache');
    await page.reload();
    await stateIs('No connection');
    const second = await startCoordinator({ ...options, port });
    try {
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await stateIs('Waiting for work');
      expect(second.pool.workers().map((one) => one.workerId)).toEqual([workerId]);
    } finally {
      await second.close();
    }
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
  it('can be installed, and is reached by a shorter link', async () => {
    const short = joinUrl().replace('/join#token=', '/j#');
    await page.goto(short);
    await stateIs('Ready when you are');
    const manifest = (await (await page.request.get(`${coordinator.url}/manifest.webmanifest`)).json()) as {
      start_url: string;
      icons: { src: string; type: string }[];
    };
    expect(manifest.start_url).toBe('./join');
    for (const { src, type } of manifest.icons) {
      const icon = await page.request.get(new URL(src, coordinator.url).href);
      expect(icon.headers()['content-type']).toBe(type);
    }
    const errors = (await (await context.newCDPSession(page)).send('Page.getInstallabilityErrors')) as object;
    expect(errors).toEqual({ installabilityErrors: [] });
    await page.click('summary');
    await page.waitForSelector('#invite-code');
    await page.goto(`${coordinator.url}/join`);
    await stateIs('This address is not the whole link');
  });

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
