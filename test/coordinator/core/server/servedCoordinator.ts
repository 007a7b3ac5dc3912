// A coordinator in this process, with pages of a test, and requests and sockets to it by hand.

import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket } from 'ws';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { CoordinatorOptions } from '../../../../coordinator/core/server/coordinatorOptions.ts';
import type { Coordinator } from '../../../../coordinator/core/server/coordinator.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Whether it comes without the admin token. */
  readonly isStranger?: boolean;
}

export const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

export class ServedCoordinator {
  folder = '';
  coordinator!: Coordinator;
  readonly sockets: WebSocket[] = [];

  async open(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'coordinator-'));
    await mkdir(join(this.folder, 'page/assets'), { recursive: true });
    await writeFile(join(this.folder, 'page/join.html'), '<p>lend</p>');
    await writeFile(join(this.folder, 'page/assets/join-1a2b.js'), 'lend()');
    await writeFile(join(this.folder, 'secret.txt'), 'secret');
    await this.start();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.splice(0)) socket.terminate();
    await this.coordinator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async start(options: CoordinatorOptions = {}): Promise<void> {
    // Its workers are made by hand, and its shards are none: there is nothing to check.
    this.coordinator = await startCoordinator({
      port: 0,
      pageFolder: join(this.folder, 'page'),
      checkWork: 'never',
      ...options,
    });
  }

  /** A request of the owner, whose path is sent as it is: fetch would tidy it up. */
  ask(
    path: string,
    { method = 'GET', headers: given = {}, body, isStranger = false }: Ask = {},
  ): Promise<Reply> {
    const { hostname, port } = new URL(this.coordinator.url);
    const headers = isStranger ? given : { ...this.asOwner(), ...given };
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  asOwner(): Record<string, string> {
    return { Authorization: `Bearer ${this.coordinator.tokens.admin}` };
  }

  openControl(headers: Record<string, string> = {}, path = '/control'): WebSocket {
    const socket = new WebSocket(`${this.coordinator.url.replace('http', 'ws')}${path}`, { headers });
    socket.on('error', () => undefined);
    this.sockets.push(socket);
    return socket;
  }

  async greet(
    socket: WebSocket,
    message: unknown = { ...hello, token: this.coordinator.tokens.join },
  ): Promise<Awaited<ReturnType<typeof nextMessage>>> {
    await whenOpen(socket);
    const answer = nextMessage(socket);
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    return answer;
  }
}

/** One for each test of a file. */
export function servedCoordinator(): ServedCoordinator {
  const world = new ServedCoordinator();
  beforeEach(() => world.open());
  afterEach(() => world.close());
  return world;
}

export const errorCode = (reply: Reply): string =>
  (JSON.parse(reply.body) as { error: { code: string } }).error.code;

export function nextMessage(socket: WebSocket): Promise<{ type: string; code?: string; message?: string }> {
  return new Promise((resolve) => {
    socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as { type: string }));
  });
}

export const whenOpen = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => socket.once('open', () => resolve()));
export const whenClosed = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once('close', resolve));
export const refusalStatus = (socket: WebSocket): Promise<number> =>
  new Promise((resolve, reject) => {
    socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.once('open', () => reject(new Error('the handshake was accepted')));
  });
