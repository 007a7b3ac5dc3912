// Every page and state that people see, each with the way there. The suite checks them all; `npm run pictures` takes a
// picture of each.

import type { Page } from 'playwright-core';
import type { ExampleSwarm } from './exampleSwarm.ts';

export interface Scene {
  /** Also the name of its picture. */
  readonly name: string;
  /** Leads a fresh page of the browser there, and resolves when all of it is there. */
  open(page: Page, swarm: ExampleSwarm): Promise<void>;
}

const joinState = (page: Page, title: string): Promise<unknown> =>
  page.waitForFunction((wanted) => document.querySelector('#state')?.textContent === wanted, title);

/** The dashboard at an address, signed in. */
async function dashboard(
  page: Page,
  { coordinator }: ExampleSwarm,
  place: string,
  whole: string,
): Promise<void> {
  await page.goto(`${coordinator.url}/#/${place}`);
  await page.fill('#token', coordinator.tokens.admin);
  await page.keyboard.press('Enter');
  await page.waitForSelector(whole);
}

export const scenes: readonly Scene[] = [
  {
    name: 'join-offered',
    async open(page, { coordinator }) {
      await page.goto(coordinator.joinUrl);
      await page.waitForSelector('#join');
    },
  },
  {
    name: 'join-training',
    async open(page, { coordinator }) {
      await page.goto(coordinator.joinUrl);
      await page.click('#join');
      await joinState(page, 'Training');
      await page.waitForSelector('.chart canvas');
    },
  },
  {
    name: 'join-paused',
    async open(page, { coordinator }) {
      await page.goto(coordinator.joinUrl);
      await page.click('#join');
      await joinState(page, 'Training');
      await page.click('#pause');
      await joinState(page, 'Paused');
    },
  },
  {
    name: 'join-left',
    async open(page, { coordinator }) {
      await page.goto(coordinator.joinUrl);
      await page.click('#join');
      await joinState(page, 'Training');
      await page.click('#leave');
      await page.waitForSelector('[data-phase="ended"]');
    },
  },
  {
    name: 'join-refused',
    async open(page, { coordinator }) {
      await page.goto(`${coordinator.url}/join#token=wrong`);
      await page.click('#join');
      await page.waitForSelector('[data-phase="ended"]');
    },
  },
  {
    name: 'dashboard-sign-in',
    async open(page, { coordinator }) {
      await page.goto(coordinator.url);
      await page.waitForSelector('#token');
    },
  },
  { name: 'dashboard-overview', open: (page, swarm) => dashboard(page, swarm, '', '#runs tbody tr') },
  { name: 'dashboard-runs', open: (page, swarm) => dashboard(page, swarm, 'runs', '#runs tbody tr') },
  {
    name: 'dashboard-run',
    open: (page, swarm) => dashboard(page, swarm, `runs/${swarm.runIds[0]}`, '.chart canvas'),
  },
  {
    name: 'dashboard-run-training',
    open: (page, swarm) => dashboard(page, swarm, `runs/${swarm.runIds[2]}`, '#timings tbody tr'),
  },
  {
    name: 'dashboard-compared-runs',
    open: (page, { runIds: [one = '', other = ''], ...swarm }) =>
      dashboard(page, { runIds: [one, other], ...swarm }, `runs/${one}/${other}`, '.chart canvas'),
  },
  {
    name: 'dashboard-tuning',
    open: (page, swarm) => dashboard(page, swarm, 'tuning', '#experiments tbody tr'),
  },
  {
    name: 'dashboard-experiment',
    open: (page, swarm) => dashboard(page, swarm, `tuning/${swarm.experimentId}`, '#trials tbody tr'),
  },
  { name: 'dashboard-data', open: (page, swarm) => dashboard(page, swarm, 'data', '#datasets tbody tr') },
  {
    name: 'dashboard-dataset',
    async open(page, swarm) {
      await dashboard(page, swarm, 'data', '#datasets tbody tr');
      await page.click('#datasets tbody th a');
      await page.waitForSelector('#shards tbody tr');
    },
  },
  {
    name: 'dashboard-serving',
    open: (page, swarm) => dashboard(page, swarm, 'serving', '#applications tbody tr'),
  },
  {
    name: 'dashboard-application',
    async open(page, swarm) {
      await dashboard(page, swarm, 'serving/flights', '#try-send');
      await page.click('#try-send');
      await page.waitForSelector('#try-answer');
    },
  },
  { name: 'dashboard-swarm', open: (page, swarm) => dashboard(page, swarm, 'swarm', '#workers tbody tr') },
];
