// An owner's program in a tab reaches no other origin: the policy of the thread's file refuses every way. The same code in a
// page without that policy does reach the server, so that the attempts are known to be real.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { bundleModule } from '../../../coordinator/program/bundleModule.ts';
import { openProgram } from '../../../coordinator/program/openProgram.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { openChromium } from '../../setup/openChromium.ts';
import type { Reached, ReachTargets } from './fixtures/reaches.ts';

const module = 'test/coordinator/program/fixtures/reaches.ts';
const PATIENCE_MS = 3_000;

let server: Server;
let targets: ReachTargets;
/** Paths that others asked the server for, sockets' too. */
const asked: string[] = [];
let packets = 0;
const udp = createSocket('udp4').on('message', () => (packets += 1));
let coordinator: Coordinator;
let workers: LocalWorkers | undefined;
let browser: Browser | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path !== '/') asked.push(path);
    const type = path.endsWith('.js')
      ? 'text/javascript'
      : path === '/events'
        ? 'text/event-stream'
        : 'text/html';
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Type': type,
    });
    if (type === 'text/event-stream') response.write(':\n\n');
    else response.end('');
  }).listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (_, request) => asked.push(request.url ?? ''));
  await once(server, 'listening');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  targets = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    udp: `https://127.0.0.1:${udp.address().port}/transport`,
    patienceMs: PATIENCE_MS,
  };
  coordinator = await startCoordinator({ port: 0, log: () => undefined });
});
afterAll(async () => {
  await workers?.stop();
  await browser?.close();
  await coordinator.close();
  server.closeAllConnections();
  server.close();
  udp.close();
});

const ways = [
  '/cache',
  '/events',
  '/fetch',
  '/font.woff2',
  '/module.js',
  '/nested-fetch',
  '/nested-scripts.js',
  '/opaque',
  '/post',
  '/socket',
  '/xhr',
];

it('the attempts are real: in a page of another server each of them reaches it', async () => {
  const { bytes, exportName } = await bundleModule({ module, export: 'attemptReaches' });
  browser = await openChromium();
  const page = await browser.newPage();
  // Of another origin than the targets, and without any policy.
  await page.goto(`${targets.address.replace('127.0.0.1', 'localhost')}/`);
  const reached = await page.evaluate(
    ([source, name, given]) =>
      new Promise<Reached>((resolve, reject) => {
        const code = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
        const starter = `import { ${name} as attempt } from ${JSON.stringify(code)};
          attempt(${JSON.stringify(given)}).then(postMessage);`;
        const url = URL.createObjectURL(new Blob([starter], { type: 'text/javascript' }));
        const thread = new Worker(url, { type: 'module' });
        thread.onmessage = ({ data }) => resolve(data as Reached);
        thread.onerror = (event) => reject(new Error(event.message));
      }),
    [new TextDecoder().decode(bytes), exportName, targets] as const,
  );
  expect([...new Set(asked)].sort()).toEqual(ways);
  expect(reached.succeeded).toEqual(
    expect.arrayContaining([
      'events',
      'fetch',
      'module',
      'opaqueFetch',
      'post',
      'socket',
      'threadOfBlob',
      'xhr',
    ]),
  );
  expect(reached.violations).toEqual([]);
  expect(packets).toBeGreaterThan(0);
  // It would try again.
  await browser.close();
});

it('an owner’s program in a tab reaches no other origin, because the policy says so', async () => {
  asked.length = 0;
  packets = 0;
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const { url, tokens } = coordinator;
  workers = await startLocalWorkers({
    url,
    token: tokens.join,
    count: 1,
    runtime: 'browser',
    device: 'cpu',
    allowCode: true,
  });
  const code = await bundleModule({ module, export: 'attemptReaches' });
  const program = { name: 'reaches', code, args: [], form: 'plain' } as const;
  const instance = await openProgram({ slots: coordinator.slots, blobs: coordinator.blobs }, program);
  const reached = (await instance.call('call', [targets])) as Reached;
  await instance.close('the case is over');
  expect(reached.succeeded).toEqual([]);
  expect([asked, connections, packets]).toEqual([[], 0, 0]);
  expect(reached.violations).toEqual(
    expect.arrayContaining(['connect-src', 'font-src', 'script-src-elem', 'worker-src']),
  );
  expect(reached.hasWebRtc).toBe(false);
});
