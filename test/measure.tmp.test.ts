import { chromium } from 'playwright-core';
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { unpackChromium } from '../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator } from '../coordinator/core/server/coordinator.ts';
import { fromItems } from '../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../coordinator/train/gbdt/gbdtTrainer.ts';

it('measures', { timeout: 200_000 }, async () => {
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  const coordinator = await startCoordinator({
    port: 0,
    project: {
      title: 'Which bird sings here?',
      description: 'A model that names birds by their song.',
      contact: 'Ada',
    },
  });
  const other = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 1,
    runtime: 'node',
    device: 'cpu',
  });
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
  });
  const train = (name: string, rounds: number, over?: AbortSignal, n = 4000) => {
    const rows = Array.from({ length: n }, (_, i) =>
      Object.fromEntries([
        ['y', (i % 97) * 2 + (i % 13)],
        ...Array.from({ length: 24 }, (_, f) => [`x${f}`, (i * (f + 3)) % 97]),
      ]),
    );
    return new GBDTTrainer({
      datasets: { train: fromItems(rows) },
      labelColumn: 'y',
      params: { objective: 'reg:squarederror', max_depth: 6, eta: 0.01 },
      numBoostRound: rounds,
      scalingConfig: {
        url: coordinator.url,
        token: coordinator.tokens.admin,
        numWorkers: 2,
        runtime: ['browser', 'node'],
      },
      runConfig: { name, storagePath: `/tmp/join-measure-${process.pid}`, verbose: 0 },
    })
      .fit(over && { signal: over })
      .catch((e: unknown) => (over?.aborted ? undefined : Promise.reject(e)));
  };
  const say = (line: string) => process.stderr.write(`MEASURED ${line}\n`);
  try {
    const over = new AbortController();
    const training = train('first', 100_000, over.signal, 60_000);
    const context = await browser.newContext({ colorScheme: 'light' });
    for (const cache of ['cold', 'warm']) {
      const page = await context.newPage();
      let bytes = 0;
      let firstPaint = 0;
      const net = await context.newCDPSession(page);
      await net.send('Network.enable');
      net.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
      await page.addInitScript(() => {
        sessionStorage.setItem('tabgrad.lending', '{"isPaused":false}');
      });
      if (cache === 'cold') await page.addInitScript(() => sessionStorage.removeItem('tabgrad.lending'));
      const t0 = performance.now();
      if (cache === 'cold') {
        await page.goto(coordinator.joinUrl);
        await page.waitForSelector('#join');
        firstPaint = bytes;
        await page.click('#join');
      } else await page.goto(coordinator.joinUrl);
      const marks: string[] = [];
      for (;;) {
        const state = await page.evaluate(() => [
          document.querySelector('#state')?.textContent,
          document.querySelector('#contribution td.number')?.textContent,
        ]);
        if (marks.at(-1)?.split('@')[0] !== state[0])
          marks.push(`${state[0]}@${Math.round(performance.now() - t0)}`);
        if (Number(state[1]) >= 1) break;
        await page.waitForTimeout(20);
        if (performance.now() - t0 > 60_000) break;
      }
      const took = performance.now() - t0;
      const workerBytes = coordinator.traffic();
      say(
        `${cache}: first work shown after ${Math.round(took)} ms; page bytes at first look ${firstPaint}, until then ${bytes}; ${marks.join(' > ')}; ${JSON.stringify(workerBytes)}`,
      );
      if (cache === 'cold') {
        for (const share of [0.25, 0.5]) {
          await page.locator(`.share label:has(input[value="${share}"]) span`).click();
          await page.waitForTimeout(9_000);
          const cpu = () => {
            let sum = 0;
            for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
              try {
                for (const tid of readdirSync(`/proc/${pid}/task`)) {
                  const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
                  if (/\(DedicatedWorker/.test(stat)) {
                    const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
                    sum += Number(f[11]) + Number(f[12]);
                  }
                }
              } catch {
                /* gone */
              }
            }
            return sum * 10;
          };
          const [c0, at0] = [cpu(), performance.now()];
          await page.waitForTimeout(12_000);
          say(
            `share ${share}: thread ${((cpu() - c0) / (performance.now() - at0)).toFixed(3)}, page says ${await page.textContent('#used-share')}`,
          );
        }
        await page.setViewportSize({ width: 1440, height: 1400 });
        await page.waitForTimeout(500);
        await page.screenshot({ path: '/tmp/join-shots/training-1440-light.png', fullPage: true });
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.setViewportSize({ width: 360, height: 1000 });
        await page.waitForTimeout(500);
        await page.screenshot({ path: '/tmp/join-shots/training-360-dark.png', fullPage: true });
      }
      await page.close();
    }
    over.abort();
    await training;
    const page = await context.newPage();
    await page.setViewportSize({ width: 360, height: 1000 });
    await page.goto(coordinator.joinUrl);
    await page.click('#join');
    await page.waitForFunction(() => document.querySelector('#state')?.textContent === 'Waiting for work');
    await train('second', 60);
    await page.waitForSelector('#result');
    await page.screenshot({ path: '/tmp/join-shots/result-360-light.png', fullPage: true });
    await page.setViewportSize({ width: 1440, height: 1000 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: '/tmp/join-shots/result-1440-dark.png' });
  } finally {
    await browser.close();
    await other.stop();
    await coordinator.close();
  }
  expect(1).toBe(1);
});
