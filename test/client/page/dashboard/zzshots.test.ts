import { chromium } from 'playwright-core';
import { it } from 'vitest';
import { unpackChromium } from '../../../../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { servingReportOf } from '../../../coordinator/core/serving/servingReportOf.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';
const path = scratchFolder();
it('shots', { timeout: 120_000 }, async () => {
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  const coordinator = await startCoordinator({ port: 0 });
  const serve = new Serve({ coordinator, log: () => undefined });
  const workers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 2,
    runtime: 'node',
    device: 'cpu',
  });
  const carriers = ['AA', 'DL', 'UA', 'WN', 'B6', 'AS', 'NK', 'F9'];
  const rows = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      distance: i % 5 === 1 ? null : Math.round(200 + 2300 * ((Math.sin(i * 12.9898) * 43758.5453) % 1) ** 2),
      hour: (i * 7) % 24,
      day_of_year: 1 + (i % 365),
      carrier: i % 10 === 2 ? null : carriers[Math.floor((((i * 31) % 101) / 101) * 8) % (1 + (i % 8))],
      origin: ['ORD', 'LGA', 'JFK'][i % 3],
      delay_before: Math.exp(((i * 17) % 97) / 20),
      late: Number((i * 7) % 24 > 15 && i % 3 > 0),
    }));
  const fit = (name: string, rounds: number) =>
    new GBDTTrainer({
      datasets: { train: fromItems(rows(20000)), valid: fromItems(rows(6000)) },
      labelColumn: 'late',
      params: { objective: 'binary:logistic', max_depth: 4, eta: 0.01 },
      numBoostRound: rounds,
      scalingConfig: { url: coordinator.url, token: coordinator.tokens.admin, numWorkers: 2 },
      runConfig: { name, storagePath: path(''), verbose: 0 },
    });
  const result = await fit('flights', 5).fit();
  const called = new AbortController();
  const going = fit('flights-long', 100000)
    .fit({ signal: called.signal })
    .catch(() => undefined);
  await serve.run(deployment(result.checkpoint!, { numReplicas: 2, version: '1' }), {
    name: 'late',
    routePrefix: '/late',
    port: 0,
    apiKey: 'secret',
  });
  const ask = (n: number) =>
    fetch(serve.url + '/late', {
      method: 'POST',
      headers: { 'x-api-key': 'secret' },
      body: JSON.stringify(rows(n)),
    }).then((r) => r.text());
  const rep = servingReportOf();
  const rolling = servingReportOf({
    version: '2',
    routePrefix: '/prices',
    modelName: 'prices',
    deployments: [
      {
        ...rep.deployments[0]!,
        version: '2',
        status: 'updating',
        target: 4,
        ongoing: 3,
        queued: 7,
        replicas: [1, 2, 3, 4]
          .map((i) => ({
            id: `Prices#${i}`,
            version: '1',
            isCurrent: false,
            state: 'running' as const,
            ongoing: 1,
            answered: 2000 + i,
          }))
          .concat([
            {
              id: 'Prices#5',
              version: '2',
              isCurrent: true,
              state: 'running' as const,
              ongoing: 0,
              answered: 400,
            } as never,
            {
              id: 'Prices#6',
              version: '2',
              isCurrent: true,
              state: 'starting' as const,
              ongoing: 0,
              answered: 0,
              workerId: 'w-4711',
            } as never,
          ]),
      },
    ],
    byStatus: { 200: 8400, 500: 30 },
  });
  await coordinator.serving.report('prices', rolling, '127.0.0.1');
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
  });
  for (let i = 0; i < 40; i++) {
    await ask(1 + (i % 7) * 60);
    await new Promise((r) => setTimeout(r, 300));
  }
  for (const [scheme, width] of [
    ['light', 1440],
    ['dark', 360],
  ] as const) {
    const page = await (
      await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } })
    ).newPage();
    await page.goto(coordinator.url);
    await page.fill('#token', coordinator.tokens.admin);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.facts');
    const shot = async (name: string, place: string) => {
      await page.goto(`${coordinator.url}/${place}`);
      await page.waitForSelector('table tbody tr');
      await page.waitForTimeout(400);
      await page.screenshot({ path: `/tmp/ds-${name}-${scheme}.png`, fullPage: true });
    };
    await shot('data', '#/data');
    const href = await page.getAttribute('#datasets tbody tr th a', 'href');
    await shot('dataset', href!);
    await shot('serving', '#/serving');
    await shot('app', '#/serving/late');
    await page.fill('#try-key', 'secret');
    await page.click('#try-send');
    await page.waitForSelector('#try-answer');
    await page.screenshot({ path: `/tmp/ds-try-${scheme}.png`, fullPage: true });
    await shot('rolling', '#/serving/prices');
  }
  called.abort();
  await going;
  await browser.close();
  await serve.shutdown();
  await workers.stop();
  await coordinator.close();
});
