// The page of a run in a real browser: runs of ten thousand rounds that a record has, and one that is trained here.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackChromium } from '../../../../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { ReportedEvent } from '../../../../coordinator/core/run/runRecord.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Result } from '../../../../coordinator/train/result.ts';
import type { CurvesAnswer } from '../../../../shared/api/runHistory.ts';
import { encodeState } from '../../../../shared/neural/state/namedState.ts';
import { recordRun } from '../../../setup/recordedRun.ts';
import { netSpec, treeSpec } from '../../../setup/runSpecs.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';

const ROUNDS = 10_000;
const metrics = ['train-rmse', 'valid-rmse', ...Array.from({ length: 8 }, (_, i) => `loss${i}`)];
const group = (generation: number, ...ids: string[]): ReportedEvent => ({
  type: 'group',
  generation,
  workers: ids.map((workerId) => ({ workerId, runtime: 'node', device: 'cpu', rows: 500 })),
});
const lost: ReportedEvent = {
  type: 'workerLost',
  workerId: 'worker-b',
  reason: 'its page was closed',
  shards: 1,
};
const state = encodeState({
  step: 20,
  weights: new Map([['dense/kernel', { shape: [1], values: Float32Array.of(2) }]]),
  optimizer: [],
});
const stateSha256 = createHash('sha256').update(state).digest('hex');
const dense = { class_name: 'Dense', config: { name: 'dense', units: 3, batch_input_shape: [null, 4] } };

const path = scratchFolder();
let coordinator: Coordinator;
let trained: Result;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const addresses: string[] = [];
/** Numbers of the events after which the page asked for more. */
const followedFrom: number[] = [];
const problems: string[] = [];

beforeAll(async () => {
  const folder = path('record');
  const options = { port: 0, storagePath: folder, log: () => undefined };
  await (await startCoordinator(options)).close();
  const store = await openStore({ folder, durable: true, onError: () => undefined });
  const between = new Map([
    [2_000, [lost, group(2, 'worker-a')]],
    [4_000, [group(3, 'worker-a', 'worker-b')]],
  ]);
  for (const [at, runId] of ['first', 'second'].entries()) {
    const spec = treeSpec(ROUNDS);
    const request = { spec: { ...spec, params: { ...spec.params, max_depth: 6 + at } } };
    await recordRun(store, { runId, rounds: ROUNDS, metrics, between, request });
  }
  const saved: ReportedEvent = {
    type: 'checkpoint',
    rounds: 20,
    sha256: stateSha256,
    sizeBytes: state.length,
  };
  await recordRun(store, {
    runId: 'net',
    rounds: 20,
    metrics: ['loss'],
    between: new Map([[19, [saved]]]),
    request: {
      spec: netSpec(20, { topology: { class_name: 'Sequential', config: { name: 'n', layers: [dense] } } }),
    },
  });
  await store.close();
  coordinator = await startCoordinator(options);
  await coordinator.blobs.putBytes(state);
  trained = await trainTrees();
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
    timeout: 60_000,
  });
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('request', (request) => {
    addresses.push(request.url());
    if (request.url().endsWith('/events')) followedFrom.push(Number(request.headers()['last-event-id'] ?? 0));
  });
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(coordinator.url);
  await page.fill('#token', coordinator.tokens.admin);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#runs');
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
});

async function trainTrees(): Promise<Result> {
  const { url, tokens } = coordinator;
  const workers = await startLocalWorkers({
    url,
    token: tokens.local,
    count: 1,
    runtime: 'node',
    device: 'cpu',
  });
  const rows = Array.from({ length: 300 }, (_, i) => ({
    size: i % 97,
    kind: i % 3 === 0 ? 'red' : 'blue',
    y: (i % 97) + (i % 3),
  }));
  try {
    return await new GBDTTrainer({
      datasets: { train: fromItems(rows) },
      labelColumn: 'y',
      params: { objective: 'reg:squarederror', max_depth: 5 },
      numBoostRound: 3,
      scalingConfig: { url, token: tokens.admin, numWorkers: 1 },
      runConfig: { name: 'trees', storagePath: path('runs'), verbose: 0 },
    }).fit();
  } finally {
    await workers.stop();
  }
}

async function open(fragment: string, selector: string): Promise<void> {
  await page.evaluate((to) => location.assign(to), fragment);
  await page.waitForSelector(selector);
}

async function curvesOf(runId: string): Promise<CurvesAnswer> {
  const headers = { authorization: `Bearer ${coordinator.tokens.admin}` };
  return (
    await fetch(`${coordinator.url}/api/v1/runs/${runId}/curves`, { headers })
  ).json() as Promise<CurvesAnswer>;
}

const words = (value: number): string => String(Number(value.toPrecision(4)));

describe('The page of a run of 10,000 rounds', () => {
  it('shows its curves, last and best values without asking for its rounds', async () => {
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    const scriptMs = async (): Promise<number> => {
      const { metrics: measured } = await session.send('Performance.getMetrics');
      return 1000 * measured.find(({ name }) => name === 'ScriptDuration')!.value;
    };
    const before = await scriptMs();
    await page.evaluate(() => {
      const seen: number[] = [];
      Object.assign(globalThis, { longTasks: seen });
      new PerformanceObserver((list) =>
        seen.push(...list.getEntries().map(({ duration }) => duration)),
      ).observe({
        type: 'longtask',
      });
    });
    await open('#/runs/first', '.chart canvas');
    await page.waitForSelector('#lanes');
    const longTasks = await page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks);
    console.log(
      `A run of ${ROUNDS} rounds and ${metrics.length} metrics: ${Math.round((await scriptMs()) - before)} ms of script, ` +
        `${longTasks.length} tasks of more than 50 ms`,
    );
    const { curves } = await curvesOf('first');
    const { last, lowest } = curves.find(({ name }) => name === 'valid-rmse')!;
    const row = await page.textContent('#metrics tr:has-text("valid-rmse")');
    expect(row).toContain(`${words(last[1])} (round 10,000)`);
    expect(row).toContain(`${words(lowest[1])} (round ${lowest[0].toLocaleString('en')})`);
    expect(addresses.filter((address) => address.includes('/outcome'))).toEqual([]);
    // Of a run that has ended the end alone may be asked for.
    expect(followedFrom.filter((sequence) => sequence < ROUNDS)).toEqual([]);
    expect(await page.locator('.charts figcaption').first().textContent()).toBe('rmse');
  });

  it('reads values at any place with the keyboard', async () => {
    const { curves } = await curvesOf('first');
    const first = curves.find(({ name }) => name === 'valid-rmse')!.first;
    await page.focus('.read-at');
    await page.keyboard.press('Home');
    await page.waitForFunction(() => document.querySelector('.reading output')?.textContent === 'round 1');
    expect(await page.getAttribute('.read-at', 'aria-valuetext')).toContain(`valid-rmse ${words(first[1])}`);
    expect(await page.textContent('.line-keys li:has-text("valid-rmse")')).toContain(words(first[1]));
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.querySelector('.reading output')?.textContent === 'round 21');
    await page.selectOption('#axis', 'time');
    await page.focus('.read-at');
    // It stands at the last values: there is nothing after them.
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('End');
    await page.waitForFunction(
      () => document.querySelector('.reading output')?.textContent === '16 min 40 s',
    );
    await page.check('#logarithmic');
    await page.focus('#smoothing');
    await page.keyboard.press('End');
    await page.click('text=The same as a table');
    await page.waitForSelector('#values tbody tr');
    expect(await page.locator('#values tbody tr').count()).toBe(16);
  });

  it('reads values below the pointer', async () => {
    await page.selectOption('#axis', 'round');
    // Another axis makes another chart, which may not be there at the first try.
    let tries = 0;
    const read = async (): Promise<string | null> => {
      const position = { x: 60 + 8 * (tries++ % 2), y: 20 };
      await page.locator('.chart .u-over').first().hover({ position });
      return page.textContent('.reading output');
    };
    await expect.poll(read, { timeout: 60_000 }).toMatch(/^round \d/);
    await page.mouse.move(5, 5);
    await page.waitForFunction(
      () => document.querySelector('.reading output')?.textContent === 'last values',
    );
  });

  it('shows who took part when, and who holds up the others', async () => {
    expect(await page.locator('#lanes > li').count()).toBe(2);
    expect(await page.locator('#lanes > li').nth(1).getAttribute('aria-label')).toBe(
      'worker-b: group 1, 500 rows, start to 3 min 20 s; worker-b: group 3, 500 rows, 6 min 40 s to 16 min 40 s; ' +
        'gone 3 min 20 s: its page was closed',
    );
    expect(await page.textContent('#timeline')).toContain('worker-b is gone: its page was closed.');
    expect(await page.textContent('#verdict')).toMatch(/^worker-b computes longest: 60 ms/);
    expect(await page.textContent('#config')).toContain('spec.params.max_depth');
  });
});

describe('Several runs', () => {
  it('are ticked in the list and laid over one another', async () => {
    await open('#/runs', '#compare');
    for (const name of ['Run first', 'Run second']) {
      await page.focus(`[aria-label="Compare ${name}"]`);
      await page.keyboard.press('Space');
    }
    await page.click('text=Compare 2 runs');
    await page.waitForSelector('#compared tbody tr:nth-child(2)');
    expect(new URL(page.url()).hash).toBe('#/runs/first/second');
    expect(await page.locator('.charts figure').count()).toBe(metrics.length);
    const keys = page.locator('.charts figure').first().locator('.line-keys li');
    expect(await keys.allTextContents()).toEqual([
      expect.stringMatching(/^Run first[\d.]+$/),
      expect.stringMatching(/^Run second[\d.]+$/),
    ]);
    const dashes = await keys
      .locator('line')
      .evaluateAll((lines) => lines.map((line) => line.getAttribute('stroke-dasharray')));
    expect(new Set(dashes).size).toBe(2);
    expect(await page.locator('#differences tbody tr').allTextContents()).toEqual([
      'spec.params.max_depth67',
    ]);
  });

  it('are sorted by their last or best values', async () => {
    const [first, second] = await Promise.all([curvesOf('first'), curvesOf('second')]);
    const last = (answer: CurvesAnswer) => answer.curves.find(({ name }) => name === 'valid-rmse')!.last[1];
    const ascending = last(first) < last(second) ? ['Run first', 'Run second'] : ['Run second', 'Run first'];
    const names = () => page.locator('#compared tbody a').allTextContents();
    await page.click('#compared button:has-text("valid-rmse, last")');
    await page.waitForSelector('#compared [aria-sort="ascending"]');
    expect(await names()).toEqual(ascending);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#compared [aria-sort="descending"]');
    expect(await names()).toEqual(ascending.toReversed());
  });
});

describe('The model', () => {
  it('of trees is downloaded as its owner has it, the token in no address', async () => {
    await open(`#/runs/${trained.runId}`, '#download-model:enabled');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download-model')]);
    expect(download.suggestedFilename()).toBe('trees-3.json');
    const owners = readFileSync(join(trained.checkpoint.path, 'model.json'), 'utf8');
    expect(readFileSync(await download.path(), 'utf8').trimEnd()).toBe(owners.trimEnd());
    expect(addresses.filter((address) => address.includes(coordinator.tokens.admin))).toEqual([]);
  });

  it('of trees is looked into, feature by feature and node by node, with the keyboard', async () => {
    await page.click('#show-importance');
    await page.waitForSelector('#importance');
    expect(await page.textContent('#importance tbody tr')).toMatch(/^size/);
    await page.click('#show-tree');
    const root = page.locator('#tree [data-node="0"]');
    expect(await root.textContent()).toMatch(/size < \d+/);
    const visible = await page.locator('#tree [role=treeitem]').count();
    await root.focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('#tree [data-node="0"][aria-expanded=false]');
    expect(await page.locator('#tree [role=treeitem]').count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.waitForSelector('#tree [data-node="1"]:focus');
    expect(await page.locator('#tree [role=treeitem]').count()).toBe(visible);
    await page.fill('#tree-number', '9');
    await page.waitForSelector('text=has 3 trees, none with the number 9');
  });

  it('of a net has a table of layers, and its stored state is downloaded as a checkpoint', async () => {
    await open('#/runs/net', '#layers');
    expect(await page.locator('#layers tbody tr').last().textContent()).toMatch(/^densedense315/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download-state')]);
    expect(download.suggestedFilename()).toBe('Run-net-20.zip');
    const zip = readFileSync(await download.path(), 'latin1');
    for (const name of ['model.json', 'weights.bin', 'checkpoint.json']) expect(zip).toContain(name);
  });
});

it('Nothing went wrong in the page', () => {
  // A number that no tree has was asked for on purpose.
  expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
});
