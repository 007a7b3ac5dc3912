// A liar as volunteers are: a tab at the join link, whose script was changed by its owner on the way. It is named, banned and told
// so, and the run ends with the honest model.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import { openChromium } from '../setup/openChromium.ts';
import { flights, Swarm, type Trained } from './swarm.ts';

const ROWS = 220_000;
const ROUNDS = 5;
/** Of the tab, before it lies for the first time: a tree of depth 5 takes five. */
const HONEST_HISTOGRAMS = 7;

let swarm: Swarm;
let train: Dataset;
let alone: Trained;
let browser: Browser;

/** One more in a cell, one less in the next one: the sums of the node stay. */
const LIE = `
globalThis.histogramsMade = 0;
function lie(cells) {
  globalThis.histogramsMade += 1;
  if (globalThis.histogramsMade <= ${HONEST_HISTOGRAMS}) return cells;
  const changed = cells.slice();
  const at = changed.findIndex((value, index) => index % 2 === 0 && value !== 0);
  changed[at] += 1;
  changed[at + 2] -= 1;
  return changed;
}
`;
/** Where a member has the histograms of its rows, before it sends them. */
const HISTOGRAMS = /await \w+\.buildHistograms\(Int32Array\.from\(\w+\),\w+\)/gu;

/** Opens the page of volunteers, with one line of its script changed. @returns how often that line was there. */
async function openLyingTab(): Promise<{ readonly page: Page; readonly changes: () => number }> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  let changes = 0;
  await context.route(/\/assets\/.*\.js$/u, async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    const changed = text.replace(HISTOGRAMS, (found) => {
      changes += 1;
      return `lie(${found})`;
    });
    await route.fulfill({ response, body: changed === text ? text : LIE + changed });
  });
  const address = new URL(swarm.coordinator.joinUrl);
  address.searchParams.set('auto', '1');
  address.searchParams.set('device', 'cpu');
  await page.goto(address.href);
  return { page, changes: () => changes };
}

function joinedWorker(): Promise<string> {
  const { pool } = swarm.coordinator;
  const known = new Set(pool.workers().map(({ workerId }) => workerId));
  return new Promise((resolve) => {
    const unsubscribe = pool.on(({ worker }) => {
      if (known.has(worker.workerId) || worker.peerId === undefined) return;
      unsubscribe();
      resolve(worker.workerId);
    });
  });
}

beforeAll(async () => {
  swarm = await Swarm.start();
  [train, browser] = await Promise.all([flights(ROWS).materialize(), openChromium()]);
  await swarm.add('node');
  alone = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, 1);
  await swarm.dismiss();
});
afterAll(async () => {
  await browser.close();
  await swarm.close();
});

describe('a tab whose script was changed', () => {
  it('is named and told so, and the model is the honest one', async () => {
    await swarm.add('node', 'cpu', 2, true, 'join');
    const joined = joinedWorker();
    const { page, changes } = await openLyingTab();
    const liar = await joined;
    expect(changes()).toBe(1);

    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, [2, 3]);

    expect(trained.modelText).toBe(alone.modelText);
    expect(trained.result.metrics).toEqual(alone.result.metrics);
    const { moderation, pool } = swarm.coordinator;
    const [ban] = moderation.bans();
    expect(ban).toMatchObject({ kind: 'worker', value: liar });
    expect(ban!.lies).toMatchObject([{ evidence: { what: 'its sums are not those of its rows' } }]);
    expect(moderation.bans()).toHaveLength(1);
    expect(pool.worker(liar)).toBeUndefined();
    await page.getByText('its sums are not those of its rows').first().waitFor();
  });
});
