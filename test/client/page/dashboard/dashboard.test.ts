// The owner's dashboard in a real browser, at a real coordinator with a worker and a run.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';
import { openChromium } from '../../../setup/openChromium.ts';

const path = scratchFolder();
let coordinator: Coordinator;
let localWorkers: Awaited<ReturnType<typeof startLocalWorkers>>;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0 });
  localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 1,
    runtime: 'node',
    device: 'cpu',
  });
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await localWorkers?.stop();
  await coordinator?.close();
});
beforeEach(async () => {
  const context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return () => context.close();
});

async function signIn(token = coordinator.tokens.admin): Promise<void> {
  await page.goto(coordinator.url);
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
}

describe('the dashboard', () => {
  it('opens to the admin token alone, and keeps it out of addresses', async () => {
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await signIn(coordinator.tokens.join);
    await page.waitForSelector('#problem');
    expect(await page.textContent('#problem')).toContain('The token is wrong');
    await signIn();
    await page.waitForSelector('.facts');
    await page.reload();
    await page.waitForSelector('.facts');
    expect(addresses.filter((address) => address.includes(coordinator.tokens.admin))).toEqual([]);
    expect(new Set(addresses.map((address) => new URL(address).origin))).toEqual(new Set([coordinator.url]));
    await page.click('header button');
    await page.waitForSelector('#token');
    expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0);
  });

  it('shows a run as it goes, its curves and workers, stops it, and has it after its end', async () => {
    await signIn();
    await page.waitForSelector('text=No runs yet');
    const rows = Array.from({ length: 3000 }, (_, i) => ({ x: i % 97, y: (i % 97) * 2 }));
    const running = new GBDTTrainer({
      datasets: { train: fromItems(rows) },
      labelColumn: 'y',
      params: { objective: 'reg:squarederror', max_depth: 3, eta: 0.001 },
      numBoostRound: 100_000,
      scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, numWorkers: 1 },
      runConfig: { name: 'shown', storagePath: path(''), verbose: 0 },
    }).fit();
    await page.click('#runs a');
    await page.waitForSelector('.chart canvas');
    await page.waitForSelector('#timings tbody tr');
    expect(await page.textContent('#timeline')).toContain('1 worker, 3,000 rows.');
    expect(await page.textContent('#metrics')).toContain('train-rmse');
    await page.check('#logarithmic');
    await page.click('#stop-run');
    await page.waitForSelector('text=The run is stopped.');
    expect((await running).status).toBe('stopped');
    await page.reload();
    await page.waitForSelector('.chart canvas');
    await page.waitForSelector('text=The run is stopped.');
    expect(await page.locator('#stop-run').count()).toBe(0);
  });

  it('lists the workers, and sends one off', async () => {
    await signIn();
    await page.click('text=Swarm');
    await page.waitForSelector('#workers tbody tr');
    const [worker] = coordinator.pool.workers();
    expect(await page.textContent('#workers tbody')).toContain(worker!.workerId);
    await page.route('**/remove', (route) => route.abort(), { times: 1 });
    await page.click('#workers tbody summary');
    await page.click('#workers button:text-is("Remove")');
    await page.click('#workers button:text-is("Send it away?")');
    expect(await page.textContent('.problem')).toContain('can not be reached');
    await page.click('#workers button:text-is("Remove")');
    await page.click('#workers button:text-is("Send it away?")');
    await page.waitForSelector('text=No workers yet');
    expect(coordinator.pool.worker(worker!.workerId)).toBeUndefined();
  });

  it('says so while the coordinator does not answer, and goes on when it does', async () => {
    await signIn();
    await page.waitForSelector('.facts');
    await page.context().setOffline(true);
    await page.waitForSelector('text=The coordinator can not be reached. Trying again.');
    await page.context().setOffline(false);
    await page.waitForSelector('.problem', { state: 'detached' });
  });

  it.each([360, 768, 1440])('fits into %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await signIn();
    await page.waitForSelector('#runs a');
    for (const place of ['#/', '#/swarm', `#/runs/${await firstRun()}`]) {
      await page.goto(`${coordinator.url}/${place}`);
      await page.waitForSelector('.card');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });
});

async function firstRun(): Promise<string> {
  const headers = { authorization: `Bearer ${coordinator.tokens.admin}` };
  const { runs } = (await (await fetch(`${coordinator.url}/api/v1/runs`, { headers })).json()) as {
    runs: { runId: string }[];
  };
  return runs[0]!.runId;
}
