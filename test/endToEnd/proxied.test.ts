// Behind a reverse proxy: another address, a path in front of everything, WebSockets passed on. The proxy here does what
// the snippets for nginx and Caddy in docs/hosting.md do.

import { createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startLocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { GBDTTrainer } from '../../coordinator/train/gbdt/gbdtTrainer.ts';
import { flights } from './swarm.ts';

const PATH = '/swarm';

/** Answers under PATH alone and passes that on without it, to a server that is known by then. */
function startProxy(target: () => URL): Promise<Server> {
  const pass = (request: IncomingMessage) => {
    const { hostname, port } = target();
    const headers = {
      ...request.headers,
      // As nginx does unless told otherwise.
      host: `${hostname}:${port}`,
      'x-forwarded-host': request.headers.host ?? '',
      'x-forwarded-for': '192.0.2.44',
    };
    const path = (request.url ?? '').slice(PATH.length) || '/';
    return forward({ hostname, port, path, method: request.method ?? 'GET', headers });
  };
  const server = createServer((request, response) => {
    if (!request.url?.startsWith(PATH)) {
      response.writeHead(404).end('not the swarm');
      return;
    }
    const passed = pass(request);
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.startsWith(PATH) !== true) {
      socket.destroy();
      return;
    }
    const passed = pass(request);
    passed.on('upgrade', (answer, inner, first) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      inner.on('error', () => socket.destroy());
      inner.write(head);
      socket.write(first);
      inner.pipe(socket).pipe(inner);
      socket.on('close', () => inner.destroy());
    });
    passed.on('response', (answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} Refused\r\nConnection: close\r\n\r\n`);
    });
    passed.on('error', () => socket.destroy());
    passed.end();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('a coordinator behind a proxy', () => {
  let folder: string;
  let proxy: Server;
  let coordinator: Coordinator;
  let publicUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proxied-'));
    proxy = await startProxy(() => new URL(coordinator.url));
    publicUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PATH}/`;
    coordinator = await startCoordinator({ port: 0, publicUrl, trustedProxies: ['loopback'] });
  });
  afterAll(async () => {
    await coordinator.close();
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('has its pages, API and sockets below the path, and asks for the admin token', async () => {
    const page = await fetch(`${publicUrl}join`);
    expect(page.status).toBe(200);
    const assets = [...(await page.text()).matchAll(/(?:src|href)="(\.\/[^"]+)"/g)];
    expect(assets.length).toBeGreaterThan(0);
    for (const [, asset] of assets) expect((await fetch(new URL(asset!, page.url))).status).toBe(200);
    expect((await fetch(`${publicUrl}api/v1/status`)).status).toBe(401);
    const headers = { authorization: `Bearer ${coordinator.tokens.admin}` };
    expect((await fetch(`${publicUrl}api/v1/status`, { headers })).status).toBe(200);
    expect(coordinator.joinUrl.replace(/#token=.+$/, '')).toBe(`${publicUrl}join`);
  });

  it('refuses pages of other origins through it as ever, and takes its own', async () => {
    const status = (origin: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${publicUrl.replace('http', 'ws')}control`, { headers: { origin } });
        socket.on('open', () => {
          socket.terminate();
          resolve(101);
        });
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        socket.on('error', () => undefined);
      });
    expect(await status('http://evil.example.org')).toBe(403);
    expect(await status(new URL(publicUrl).origin)).toBe(101);
  });

  it('trains with a tab and a Node worker that came through it, and knows where they are', async () => {
    const localWorkers = await startLocalWorkers({
      url: publicUrl,
      token: coordinator.tokens.join,
      count: 2,
      runtime: ['node', 'browser'],
      device: 'cpu',
    });
    try {
      const addresses = coordinator.pool.workers().map(({ remoteAddress }) => remoteAddress);
      expect(addresses).toEqual(['192.0.2.44', '192.0.2.44']);
      const paths = new Set<string>();
      coordinator.pool.on((event) => {
        if (event.type !== 'message' || event.message.type !== 'ready') return;
        for (const { path } of event.message.links) paths.add(path);
      });
      const result = await new GBDTTrainer({
        datasets: { train: flights(5_000) },
        labelColumn: 'is_late',
        params: { objective: 'binary:logistic', max_depth: 3 },
        numBoostRound: 2,
        scalingConfig: { numWorkers: 2, url: publicUrl, token: coordinator.tokens.admin },
        runConfig: { name: 'proxied', storagePath: folder, verbose: 0 },
      }).fit();
      expect(result.metrics['train-logloss']).toBeLessThan(0.69);
      // Signalling went through the proxy too: links came up without the relay.
      expect([...paths]).toEqual(['direct']);
    } finally {
      await localWorkers.stop();
    }
  });
});
