import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBrowser } from '../../../../coordinator/cluster/local/findBrowser.ts';
import { unpackChromium } from '../../../../coordinator/cluster/local/chromium.ts';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';

let coordinator: Coordinator;
beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0 });
});
afterAll(() => coordinator.close());

/** Resolves when the coordinator has lost so many workers. */
function losses(count: number): Promise<string[]> {
  const reasons: string[] = [];
  return new Promise((resolve) => {
    const off = coordinator.pool.on((event) => {
      if (event.type !== 'lost' || reasons.push(event.reason) < count) return;
      off();
      resolve(reasons);
    });
  });
}

test('workers of several runtimes start together, join under different ids and stop together', async () => {
  const lines: string[] = [];
  const local = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 3,
    runtime: ['node', 'deno'],
    device: 'cpu',
    onLine: (line) => lines.push(line),
  });
  expect(local.workers.map(({ kind }) => kind)).toEqual(['node', 'deno', 'node']);
  const ids = local.workers.map(({ workerId }) => workerId);
  expect(new Set(ids)).toHaveLength(3);
  expect(ids.every((id) => coordinator.pool.worker(id)?.present)).toBe(true);
  const lost = losses(3);
  await Promise.all([local.stop(), local.stop()]);
  expect(await lost).toEqual(['stopped by SIGTERM', 'stopped by SIGTERM', 'stopped by SIGTERM']);
  for (const { pid } of local.workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(lines).toContain('[deno 1] left: stopped by SIGTERM');
});

test('workers leave when the process that started them is killed', async () => {
  const script = `
    import { startLocalWorkers } from './coordinator/cluster/local/localWorkers.ts';
    const { workers } = await startLocalWorkers({
      url: ${JSON.stringify(coordinator.url)}, token: ${JSON.stringify(coordinator.tokens.local)}, count: 2, runtime: ['node', 'deno'], device: 'cpu' });
    console.log(JSON.stringify(workers.map(({ pid }) => pid)));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
  const lost = losses(2);
  parent.kill('SIGKILL');
  expect(await lost).toEqual(['whoever started it is gone', 'whoever started it is gone']);
  expect(JSON.parse(line)).toHaveLength(2);
});

test('a worker that can not join in time is ended, and the error says where it tried', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  await expect(
    startLocalWorkers({ url, count: 1, runtime: 'node', device: 'cpu', joinTimeoutMs: 700 }),
  ).rejects.toMatchObject({
    code: 'WORKER_START_FAILED',
    message: expect.stringContaining(`did not join within 700 ms (${url})`) as string,
  });
  silent.closeAllConnections();
  silent.close();
});

test('one worker that fails takes the others down with it', async () => {
  const before = coordinator.pool.workers().length;
  const start = startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: 2,
    runtime: ['node', 'browser'],
    device: 'cpu',
    joinTimeoutMs: 1,
  });
  await expect(start).rejects.toMatchObject({ code: 'WORKER_START_FAILED' });
  expect(coordinator.pool.workers().filter(({ present }) => present)).toHaveLength(before);
});

test('the browser that the user names is taken, and is asked for when it is not there', async () => {
  expect(await findBrowser({ TABGRAD_BROWSER: process.execPath })).toEqual({
    executablePath: process.execPath,
    environment: {},
  });
  await expect(findBrowser({ TABGRAD_BROWSER: '/no/browser' })).rejects.toMatchObject({
    code: 'BROWSER_MISSING',
    message: expect.stringContaining('/no/browser') as string,
  });
});

test('the Chromium from npm is unpacked with its drivers, the same for everybody who asks', async () => {
  const [one, other] = await Promise.all([unpackChromium(), unpackChromium()]);
  expect(one).toEqual(other);
  expect(existsSync(one.executablePath)).toBe(true);
  expect(existsSync(one.swiftshaderIcd)).toBe(true);
});

test('a runtime that is none is refused before anything is started', async () => {
  const asked = { url: coordinator.url, count: 2, device: 'cpu', runtime: ['node', 'dino'] } as const;
  await expect(startLocalWorkers(asked as never)).rejects.toMatchObject({
    code: 'WORKER_SETTING_INVALID',
    message: 'runtime[1] is "dino"; expected one of node, deno, browser; did you mean deno?',
  });
});

test.each([
  [{ cuont: 1 }, 'cuont is not an option; did you mean count?'],
  [{ count: 65 }, 'count is 65; expected a whole number from 0 to 64.'],
  [{ url: 'localhost:7070' }, 'url must be like http://127.0.0.1:7070.'],
  [{ browserSandbox: true }, 'browserSandbox has no effect without a worker in a browser.'],
])('%j is refused before anything is started', async (wrong, message) => {
  const asked = { url: coordinator.url, count: 1, device: 'cpu', runtime: 'node', ...wrong } as const;
  await expect(startLocalWorkers(asked as never)).rejects.toMatchObject({
    code: 'WORKER_SETTING_INVALID',
    message,
  });
});
