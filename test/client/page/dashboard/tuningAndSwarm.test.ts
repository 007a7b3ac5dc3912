// The views of tuning and of the swarm in a real browser, with a thousand trials in the record and two hundred workers in
// the pool. How long the page computes is printed.

import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { openChromium } from '../../../setup/openChromium.ts';
import { joinWorkers, type JoinedWorker } from './joinedWorkers.ts';
import { recordManyTrials } from './manyTrials.ts';

const ID = '0b0e7b1c-0000-4000-8000-000000000001';
const TRIALS = 1000;
const ITERATIONS = 10_000;
const WORKERS = 200;
const LOOKS = 4;
const LOOK_EVERY_MS = 2_000;
/** Machines of tests may be several times slower than those of owners. */
const SLACK = 4;

let coordinator: Coordinator;
let browser: Browser;
let page: Page;
let workers: JoinedWorker[];

beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0, log: () => undefined });
  await recordManyTrials(coordinator.experiments, ID, TRIALS, ITERATIONS);
  workers = joinWorkers(coordinator, WORKERS);
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
});
beforeEach(async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(coordinator.url);
  await page.fill('#token', coordinator.tokens.admin);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.facts');
  return () => context.close();
});

async function scriptMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'ScriptDuration')!.value;
}

async function measured(): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return session;
}

const rows = (table: string): Promise<string[]> =>
  page.locator(`${table} tbody tr td:first-child`).allTextContents();

describe('the tuning view', () => {
  it('opens a thousand trials of ten thousand steps at once, and sorts and filters them', async () => {
    const session = await measured();
    const before = await scriptMs(session);
    await page.goto(`${coordinator.url}/#/tuning/${ID}`);
    await page.waitForSelector('#trials tbody tr');
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    const ms = (await scriptMs(session)) - before;
    process.stdout.write(`${TRIALS} trials x ${ITERATIONS} steps: ${ms.toFixed(0)} ms of script\n`);
    expect(ms).toBeLessThan(100 * SLACK);
    expect((await rows('#trials')).slice(0, 3)).toEqual(['0', '1', '2']);
    await page.click('#trials th button:text-is("Score")');
    const [best] = await rows('#trials');
    expect(await page.textContent('.facts')).toContain(`(trial ${best})`);
    expect(await page.textContent('#trials th[aria-sort=ascending]')).toBe('Score ▲');
    await page.fill('#trials-filter', 'status=errored');
    await page.waitForSelector('text=11 of 1,000');
    await page.fill('#trials-filter', 'eta>0.1 booster=dart');
    const found = await page.textContent('.table-tools [role=status]');
    expect(Number(found!.split(' ')[0])).toBeGreaterThan(20);
    // What is marked on an axis is a filter of the table: the upper half of the first one.
    await page.fill('#trials-filter', '');
    await page.locator('#parallel').scrollIntoViewIfNeeded();
    const box = (await page.locator('#parallel').boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 20, box.y + 160, { steps: 3 });
    await page.mouse.up();
    expect(await page.inputValue('#trials-filter')).toMatch(/^params\.eta>=0\.0\d+$/);
    await page.mouse.click(box.x + 20, box.y + 100);
    expect(await page.inputValue('#trials-filter')).toBe('');
  });

  it('lists experiments, wishes that a trial and all of it end, and says how to go on', async () => {
    await page.click('nav >> text=Tuning');
    await page.click('#experiments a');
    await page.fill('#trials-filter', 'status=running');
    await page.click('[aria-label="Stop trial 996"]');
    await page.click('#stop-experiment');
    await page.waitForSelector('#stop-experiment:disabled');
    const head = {
      name: 'flights',
      folder: '/results/flights',
      metric: 'valid-logloss',
      mode: 'min',
      startedAtMs: 1_700_000_000_000,
    } as const;
    const { experiments } = coordinator;
    expect(await experiments.save(ID, { ...head, status: 'running', trials: [] })).toMatchObject({
      stop: true,
      stopTrials: [996],
    });
    await experiments.save(ID, {
      ...head,
      status: 'stopped',
      endedAtMs: 1_700_000_001_000,
      trials: [],
    });
    await page.waitForSelector('#resume-command');
    expect(await page.textContent('#resume-script')).toContain('Tuner.restore("/results/flights"');
    expect(await page.locator('#stop-experiment').count()).toBe(0);
  });
});

describe('the swarm view', () => {
  it('keeps up with two hundred workers, and shows who is linked to whom', async () => {
    const members = workers.slice(0, 40);
    for (const { workerId } of members) coordinator.pool.claim(workerId, 'r');
    for (const one of members) {
      const links = members
        .filter((other) => other !== one)
        .map(({ workerId }) => ({ workerId, path: 'direct' }));
      one.say({ type: 'ready', runId: 'r', generation: 1, links });
    }
    await page.click('nav >> text=Swarm');
    await page.waitForSelector('#workers tbody tr');
    await page.waitForSelector('#links[aria-label*="780 direct links"]');
    expect(await page.textContent('#workers tbody')).toContain('39 direct');
    const session = await measured();
    const before = await scriptMs(session);
    for (let look = 0; look < LOOKS; look++)
      await page.waitForResponse((response) => response.url().endsWith('/api/v1/workers'), {
        timeout: 10 * LOOK_EVERY_MS,
      });
    const ms = ((await scriptMs(session)) - before) / LOOKS;
    process.stdout.write(`${WORKERS} workers: ${ms.toFixed(1)} ms of script a look\n`);
    expect(ms).toBeLessThan(16 * SLACK);
    await page.fill('#workers-filter', 'runtime=browser cores>7');
    await page.waitForSelector('.table-tools >> text=of 200');
  });

  it('invites, shows who came, and takes it back', async () => {
    await page.click('nav >> text=Swarm');
    await page.waitForSelector('text=No invitations');
    await page.fill('form:has([name=count]) [name=name]', 'class 7b');
    await page.fill('[name=count]', '3');
    await page.fill('[name=hours]', '2');
    await page.click('button:text-is("Invite")');
    await page.waitForSelector('#invitations >> text=class 7b');
    const { invitation } = coordinator.invitations.list()[0]!;
    expect(invitation).toMatchObject({ name: 'class 7b', count: 3, isTrusted: false });
    expect(invitation.endsAtMs - invitation.createdAtMs).toBe(2 * 3_600_000);
    expect(await page.textContent('#invitations')).toMatch(/0 of 3.*until/);
    await page.click('#invitations button:text-is("Revoke")');
    expect(coordinator.invitations.list()).toHaveLength(1);
    await page.click('#invitations button.asking');
    await page.waitForSelector('text=No invitations');
    expect(coordinator.invitations.list()).toEqual([]);
  });

  it('drains a worker, asks back before it removes one, and lifts a ban', async () => {
    const { workerId } = workers[50]!;
    await page.click('nav >> text=Swarm');
    await page.fill('#workers-filter', workerId);
    await page.click('#workers summary');
    await page.click('#workers button:text-is("Drain")');
    await page.waitForSelector('#workers >> text=leaving: drained by the owner');
    await page.click('#workers button:text-is("Give it work again")');
    await page.waitForSelector('#workers >> text=waits for work');
    await page.click('#workers button:text-is("Ban address")');
    await page.click('#workers button:text-is("Ban all of its address?")');
    // Its own machine: a refusal is shown.
    await page.waitForSelector('[role=alert] >> text=is this machine');
    await page.click('#workers button:text-is("Ban")');
    expect(coordinator.pool.worker(workerId)).toBeDefined();
    await page.click('#workers button:text-is("Ban this worker?")');
    await page.waitForSelector(`#bans >> text=${workerId}`);
    expect(coordinator.pool.worker(workerId)).toBeUndefined();
    await page.click(`[aria-label="Lift the ban of ${workerId}"]`);
    await page.waitForSelector('text=Nobody is banned');
    expect(coordinator.moderation.bans()).toEqual([]);
  });
});
