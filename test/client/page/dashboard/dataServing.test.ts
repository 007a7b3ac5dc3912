// The dashboard's views of datasets and of served applications in a real browser: a real run on a table with missing values and
// categories, and a real server of its model.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTPredictor } from '../../../../coordinator/predict/gbdtPredictor.ts';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import type { Result } from '../../../../coordinator/train/result.ts';
import { openChromium } from '../../../setup/openChromium.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';

const path = scratchFolder();
let coordinator: Coordinator;
let localWorkers: Awaited<ReturnType<typeof startLocalWorkers>>;
let browser: Browser;
let page: Page;
let serve: Serve;
let trained: Result;

const KEY = 'key-of-callers';
const origins = ['ORD', 'LGA', '<b>JFK</b>'] as const;

/** Every fifth distance is missing, and every tenth origin. */
function rows(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => ({
    distance: i % 5 === 1 ? null : 100.25 + (i % 400),
    hour: i % 24,
    origin: i % 10 === 2 ? null : origins[i % 3],
    late: Number(i % 24 > 15 && i % 3 > 0),
  }));
}

async function train(name: string, describeData?: boolean): Promise<Result> {
  return new GBDTTrainer({
    datasets: { train: fromItems(rows(describeData === false ? 900 : 1000)), valid: fromItems(rows(300)) },
    labelColumn: 'late',
    params: { objective: 'binary:logistic', max_depth: 4 },
    numBoostRound: 5,
    scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, numWorkers: 1 },
    runConfig: {
      name,
      storagePath: path(''),
      verbose: 0,
      ...(describeData !== undefined && { describeData }),
    },
  }).fit();
}

async function go(place: string): Promise<void> {
  await page.goto(`${coordinator.url}/${place}`);
}

beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0 });
  serve = new Serve({ coordinator, log: () => undefined });
  localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 1,
    runtime: 'node',
    device: 'cpu',
  });
  browser = await openChromium();
  page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(coordinator.url);
  await page.fill('#token', coordinator.tokens.admin);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.facts');
});
afterAll(async () => {
  await browser?.close();
  await serve?.shutdown();
  await localWorkers?.stop();
  await coordinator?.close();
});

describe('The views of data and serving', () => {
  it('name the command to begin with while there is nothing', async () => {
    await go('#/data');
    await page.waitForSelector(`text=npx tabgrad train CONFIG --url ${coordinator.url}`);
    await go('#/serving');
    await page.waitForSelector(`text=npx tabgrad serve --checkpoint DIR --url ${coordinator.url}`);
  });

  it('show the datasets of a run: distributions, missing shares, shards and runs', async () => {
    trained = await train('flights');
    await go('#/data');
    await page.waitForSelector('#datasets tbody tr:nth-child(2)');
    expect(await page.locator('#datasets tbody a').allInnerTexts()).toEqual([
      'train',
      'flights',
      'valid',
      'flights',
    ]);
    await page.focus('#datasets tbody a >> text=train');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#columns tbody tr');
    const cells = async (row: number): Promise<string[]> =>
      page.locator(`#columns tbody tr:nth-child(${row}) > *`).allInnerTexts();
    const [name, , range, mean, missing] = await cells(1);
    expect(name).toBe('distance\nnumber');
    expect([range, mean, missing]).toEqual(['100.3 to 499.3', '280', '20 %']);
    expect(await page.getAttribute('#columns tr:nth-child(1) svg', 'aria-label')).toMatch(
      /^Histogram of distance from 100\.3 to 499\.3; most values are from/,
    );
    const [, categories, distinct, , missingOrigins] = await cells(3);
    expect(categories!.split('\n').filter((line) => line.startsWith('<b>'))).toEqual(['<b>JFK</b>']);
    expect([distinct, missingOrigins]).toEqual(['3 categories', '10 %']);
    expect(await page.locator('#columns b').count()).toBe(0);
    expect((await cells(4))[0]).toBe('late\nlabel class');
    await page.waitForSelector('#shards tbody tr');
    expect(await page.locator('#dataset-runs a').allInnerTexts()).toEqual(['flights']);
  });

  it('show no columns where the owner keeps them to themself', async () => {
    await train('private', false);
    await go('#/data');
    await page.click('#datasets tbody tr:has-text("private") th a');
    await page.waitForSelector('text=Nothing was told of the columns');
    expect(await page.locator('#columns').count()).toBe(0);
  });

  it('try a row: the answer is what the predictor says, and the key stays out of the page', async () => {
    const model = deployment(trained.checkpoint, { numReplicas: 2, version: 'first', name: 'trees' });
    await serve.run(model, { name: 'late', routePrefix: '/late', port: 0, apiKey: KEY });
    await go('#/serving');
    await page.focus('#applications tbody a');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.replicas tbody tr:nth-child(2)');
    expect(await page.locator('.replicas tbody tr').first().innerText()).toMatch(/trees#1\s+first\s+runs/);
    // The first row of the training set.
    await page.waitForSelector('#try-2');
    const values = page.locator('#try .fields input');
    expect(
      await values.evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value)),
    ).toEqual(['100.25', '0', 'ORD']);
    await page.click('#try-send');
    await page.waitForSelector('#try-answer >> text=Status 401');
    await page.fill('#try-1', '21');
    await page.fill('#try-2', 'LGA');
    await page.fill('#try-key', KEY);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#try-answer >> text=Status 200');
    const [answer] = JSON.parse((await page.textContent('#try-answer pre'))!) as { predictions: number }[];
    const row = { distance: [100.25], hour: [21], origin: ['LGA'] };
    const predicted = new GBDTPredictor(trained.checkpoint).call(row)['predictions'] as Float32Array;
    expect(Math.fround(answer!.predictions)).toBe(predicted[0]);
    const curl = await page.textContent('.command code');
    expect(curl).toBe(
      `curl -H "Authorization: Bearer $TABGRAD_API_KEY" -H 'Content-Type: application/json' ` +
        `-d '[{"distance":100.25,"hour":21,"origin":"LGA"}]' '${serve.url!.replace(/\/$/, '')}/late'`,
    );
    await page.fill('#try-0', 'far');
    await page.click('#try-send');
    await page.waitForSelector('text=distance is no number.');
    const stored = await page.evaluate(() =>
      [...Object.values(sessionStorage), ...Object.values(localStorage)].join('\n'),
    );
    expect(stored).not.toContain(KEY);
    // What was asked is told within two seconds.
    await go('#/serving');
    await page.waitForSelector('#applications tbody tr >> text=/, [\\d.]+ ms/');
  });

  it.each([360, 1440])('fit into %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    const places = ['#/data', '#/serving', '#/serving/late'];
    await go('#/data');
    places.push((await page.getAttribute('#datasets tbody tr:has-text("flights") th a', 'href'))!);
    for (const place of places) {
      await go(place);
      await page.waitForSelector('table tbody tr');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });
});
