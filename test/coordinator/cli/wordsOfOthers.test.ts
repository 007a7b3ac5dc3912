// What volunteers say at the owner's terminal, and what a coordinator says at the volunteer's.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/control.ts';
import { runTabgrad, type Ended } from './runTabgrad.ts';

/** Clipboard, title, clear screen, a C1 command, a return in the line, a forged row, an override and unseen characters. */
const HOSTILE =
  '\u001b]52;c;ZXZpbA==\u0007\u001b]0;owned\u0007\u001b[2J\u009b31m\rfirst\nforged row\u202e\u2066\u200b\u2028end';
const WRITTEN_OUT = '\\u001b]52;c;ZXZpbA==\\u0007';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function expectHarmless({ stdout, stderr }: Ended): void {
  expect(visibleText(stdout)).toBe(stdout);
  expect(visibleText(stderr)).toBe(stderr);
  expect(`${stdout}${stderr}`).not.toMatch(/^forged row/m);
}

describe('a volunteer with hostile words', () => {
  async function startAttacked(): Promise<Coordinator> {
    const coordinator = await startCoordinator({
      port: 0,
      adminToken: 'admin-token-of-the-test',
      joinToken: 'join-token-of-the-test',
    });
    ends.push(() => coordinator.close());
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}/control`);
    ends.push(() => socket.terminate());
    await once(socket, 'open');
    const welcome = once(socket, 'message');
    const device = { kind: 'cpu', name: HOSTILE, reason: HOSTILE };
    socket.send(
      JSON.stringify({
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        token: 'join-token-of-the-test',
        runtime: 'node',
        name: 'x'.repeat(50) + HOSTILE.slice(0, 14),
        device,
        cores: 1,
      }),
    );
    await welcome;
    const left = new Promise<void>((resolve) => {
      const stop = coordinator.pool.on(({ worker }) => {
        if (worker.leaving === undefined) return;
        stop();
        resolve();
      });
    });
    socket.send(JSON.stringify({ type: 'leaving', reason: HOSTILE }));
    await left;
    return coordinator;
  }

  it('does nothing to the terminal of `tabgrad status`, and forges no row in it', async () => {
    const { url } = await startAttacked();
    const words = ['status', '--url', url, '--token', 'admin-token-of-the-test'];
    const text = await runTabgrad(words);
    expect(text.code).toBe(0);
    expectHarmless(text);
    expect(text.stdout).toContain(WRITTEN_OUT);
    expect(text.stdout.split('\n').filter((line) => line.includes('u001b'))).toHaveLength(1);
    const json = await runTabgrad([...words, '--json']);
    expectHarmless(json);
    const { workers } = JSON.parse(json.stdout) as { workers: [{ device: { name: string } }] };
    expect(workers[0].device.name).toContain(WRITTEN_OUT);
  });

  it('does nothing to the terminal of someone who asks the coordinator with curl', async () => {
    const { url } = await startAttacked();
    const headers = { authorization: 'Bearer admin-token-of-the-test' };
    for (const path of ['/', '/api/v1/workers', '/api/v1/status', '/metrics']) {
      const response = await fetch(`${url}${path}`, { headers });
      expect(response.status).toBe(200);
      const text = await response.text();
      expect(visibleText(text)).toBe(text);
    }
  });
});

describe("a stranger's coordinator with hostile words", () => {
  async function listen(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Healthy by its answers; says `messages` to whoever joins. */
  async function startStranger(messages: readonly object[]): Promise<string> {
    const server = createServer((_, response) => response.end('"ok"'));
    const sockets = new WebSocketServer({ server, path: '/control' });
    sockets.on('connection', (socket) => {
      socket.once('message', () => {
        for (const message of messages) socket.send(JSON.stringify(message));
      });
    });
    ends.push(() => sockets.close());
    return listen(server);
  }

  const welcome = {
    type: 'welcome',
    workerId: 'w-1',
    secret: 'secret',
    peerServer: { path: '/peerjs', key: 'tabgrad' },
    iceServers: [],
    pingIntervalMs: 5000,
  };

  it('does nothing to the terminal of a volunteer by refusing', async () => {
    const url = await startStranger([{ type: 'refused', code: HOSTILE.slice(0, 60), message: HOSTILE }]);
    const ended = await runTabgrad(['worker', '--url', url, '--device', 'cpu']);
    expect(ended.code).toBe(1);
    expectHarmless(ended);
    expect(ended.stderr).toContain(WRITTEN_OUT);
  });

  it('does nothing to the terminal of a volunteer by sending it away', async () => {
    const url = await startStranger([welcome, { type: 'shutdown', reconnect: false, reason: HOSTILE }]);
    const entry = ['dist/node/worker.js', '--url', url, '--device', 'cpu'];
    const ended = await promisify(execFile)(process.execPath, entry, { timeout: 60_000 });
    expectHarmless({ code: 0, ...ended });
    expect(ended.stdout).toContain(`Left: ${WRITTEN_OUT}`);
  });

  it('does nothing to a terminal by its refusals or by answers of another form', async () => {
    let body = JSON.stringify({ error: { code: 'RUN_UNKNOWN', message: HOSTILE } });
    const url = await listen(createServer((_, response) => response.writeHead(404).end(body)));
    for (const style of [[], ['--json'], ['--verbose']]) {
      const refused = await runTabgrad(['status', '--url', url, ...style]);
      expect(refused.code).toBe(1);
      expectHarmless(refused);
    }
    body = HOSTILE;
    const strange = await runTabgrad(['status', '--url', url]);
    expectHarmless(strange);
    expect(strange.stderr).toContain(WRITTEN_OUT);
  });
});
