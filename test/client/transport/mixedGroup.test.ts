// Node, Deno and Chromium in one group: every pair connects directly and every member ends with the same bits.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Browser } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedSums, runMember, type MemberPlan, type MemberReport } from './fixtures/memberProgram.ts';
import { nodeConnector } from './fixtures/nodeMember.ts';
import { startSignalling, tokenOf, type SignallingServer } from './fixtures/signallingServer.ts';
import { openChromium } from '../../setup/openChromium.ts';

const lengths = [0, 1, 63, 64, 65, 257, 1_000_000];
const fixtures = join(import.meta.dirname, 'fixtures');

interface TabPage {
  runMember(start: unknown): Promise<MemberReport>;
  transferredChannels(): number;
}

let server: SignallingServer;
let browser: Browser;

beforeAll(async () => {
  server = await startSignalling();
  server.pages.set('/', {
    type: 'text/html',
    text: '<!doctype html><script type="module" src="/tabPage.js"></script>',
  });
  for (const name of ['tabPage', 'tabWorker']) {
    const bundle = await rolldown({ input: join(fixtures, `${name}.browser.ts`), platform: 'browser' });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    await bundle.close();
    server.pages.set(`/${name}.js`, { type: 'text/javascript', text: output[0].code });
  }
  browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function runNode(plan: MemberPlan): Promise<MemberReport> {
  const connector = await nodeConnector(server, plan.self);
  try {
    return await runMember(connector, plan);
  } finally {
    await connector.close();
  }
}

/** @param transferred At least so many data channels must go from the page into its worker; 0: none. */
async function runTab(plan: MemberPlan, transferred: number, query = ''): Promise<MemberReport> {
  const page = await browser.newPage();
  try {
    await page.goto(`${server.url}/${query}`);
    const start = { coordinatorUrl: server.url, token: tokenOf(plan.self), plan };
    const report = await page.evaluate(
      (argument) => (globalThis as unknown as TabPage).runMember(argument),
      start,
    );
    const channels = await page.evaluate(() => (globalThis as unknown as TabPage).transferredChannels());
    // A member that isn't up yet is dialled again.
    expect(channels).toBeGreaterThanOrEqual(transferred);
    if (transferred === 0) expect(channels).toBe(0);
    return report;
  } finally {
    await page.close();
  }
}

async function runDeno(plan: MemberPlan): Promise<MemberReport> {
  const deno = join(dirname(createRequire(import.meta.url).resolve('deno/package.json')), 'bin.cjs');
  const child = spawn(
    process.execPath,
    [
      deno,
      'run',
      '-A',
      join(fixtures, 'denoMember.ts'),
      server.url,
      tokenOf(plan.self),
      JSON.stringify(plan),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: 40_000 },
  );
  return JSON.parse(await text(child.stdout)) as MemberReport;
}

function planFor(members: readonly string[], group: string): (self: string) => MemberPlan {
  return (self) => ({ self, members, group, lengths, directTimeoutMs: 10_000 });
}

function expectAgreement(reports: readonly MemberReport[], members: readonly string[]): void {
  const sums = expectedSums(members.length, lengths);
  for (const [rank, report] of reports.entries()) {
    expect(report.sums).toEqual(sums);
    expect(report.gathered).toBe(reports[0]?.gathered);
    expect(Object.keys(report.paths).toSorted()).toEqual(
      members.filter((_, other) => other !== rank).toSorted(),
    );
    expect(new Set(Object.values(report.paths))).toEqual(new Set(['direct']));
  }
}

describe.concurrent('a group of different runtimes', () => {
  it('reduces to the same bits in Node, Deno and two Chromium tabs, and nothing passes the coordinator', async () => {
    const before = server.relay.stats.bytesRelayed;
    const members = ['alpha', 'beta', 'gamma', 'delta'];
    const plan = planFor(members, 'run/1');
    const reports = await Promise.all([
      runTab(plan('alpha'), 3),
      runNode(plan('beta')),
      runDeno(plan('gamma')),
      runTab(plan('delta'), 3),
    ]);
    expectAgreement(reports, members);
    expect(server.relay.stats.bytesRelayed).toBe(before);
    for (const report of reports) expect(report.bytesSent).toBeGreaterThan(6_000_000);
    for (const report of reports) expect(report.maxMessageBytes).toEqual([262_144, 262_144, 262_144]);
  });

  it('notices a killed member within seconds, whichever way its network tells', async () => {
    const members = ['survivor', 'tab', 'victim'];
    const plan = (self: string): MemberPlan => ({
      ...planFor(members, 'run/3')(self),
      lengths: [1000],
      victim: 'victim',
    });
    const child = fork(join(fixtures, 'victimMember.ts'), [server.url, JSON.stringify(plan('victim'))], {
      execArgv: ['--import', 'tsx'],
      timeout: 40_000,
    });
    const [[code, signal], ...reports] = await Promise.all([
      once(child, 'exit'),
      runNode(plan('survivor')),
      runTab(plan('tab'), 2),
    ]);
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    // ICE alone would take half a minute.
    for (const { lostAfterMs } of reports) expect(lostAfterMs).toBeLessThan(26_000);
  });

  it('carries messages over the page where a tab can not transfer its data channels', async () => {
    const members = ['one', 'two'];
    const plan = planFor(members, 'run/2');
    const reports = await Promise.all([runTab(plan('one'), 0, '?bridge'), runNode(plan('two'))]);
    expectAgreement(reports, members);
  });
});
