// A coordinator as its owner moderates it, and workers made by hand that join it from elsewhere.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { WebSocket } from 'ws';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { CoordinatorOptions } from '../../../../coordinator/core/server/coordinatorOptions.ts';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type CoordinatorMessageOf,
} from '../../../../shared/protocol/control.ts';

export const HERE = '192.0.2.7';
const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** With storage that outlives it, behind a proxy on this machine. */
export class ModeratedCoordinator {
  coordinator!: Coordinator;
  #folder = '';
  readonly #sockets: WebSocket[] = [];

  async open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'tabgrad-moderation-'));
    await this.start();
  }

  async start(options: CoordinatorOptions = {}): Promise<void> {
    this.coordinator = await startCoordinator({
      port: 0,
      storagePath: this.#folder,
      trustedProxies: ['loopback'],
      ...options,
    });
  }

  async restart(options: CoordinatorOptions = {}): Promise<void> {
    await this.coordinator.close();
    await this.start(options);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.terminate();
    await this.coordinator.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A worker made by hand, seen from `address` through the proxy. */
  volunteer(said: object = {}, address = HERE): Volunteer {
    const { url, tokens } = this.coordinator;
    const socket = new WebSocket(new URL('/control', url.replace('http', 'ws')), {
      headers: { 'X-Forwarded-For': address },
    });
    this.#sockets.push(socket);
    return new Volunteer(socket, { ...hello, token: tokens.join, ...said });
  }

  async ask(path: string, json?: unknown, token = this.coordinator.tokens.admin): Promise<Answer> {
    const answer = await fetch(new URL(path, this.coordinator.url), {
      headers: { authorization: `Bearer ${token}` },
      ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  present(): string[] {
    return this.coordinator.pool.workers().map(({ workerId }) => workerId);
  }
}

/** One for each test of a file. */
export function moderatedCoordinator(): ModeratedCoordinator {
  const world = new ModeratedCoordinator();
  beforeEach(() => world.open());
  afterEach(() => world.close());
  return world;
}

export class Volunteer {
  readonly #socket: WebSocket;
  readonly #heard: CoordinatorMessage[] = [];
  readonly closed: Promise<number>;

  constructor(socket: WebSocket, greeting: object) {
    this.#socket = socket;
    this.closed = once(socket, 'close').then(([code]) => code as number);
    socket.on('message', (data: Buffer) =>
      this.#heard.push(JSON.parse(data.toString()) as CoordinatorMessage),
    );
    socket.on('open', () => socket.send(JSON.stringify(greeting)));
  }

  async next<T extends CoordinatorMessage['type']>(type: T): Promise<CoordinatorMessageOf<T>> {
    for (;;) {
      const found = this.#heard.find((message) => message.type === type);
      if (found) return found as CoordinatorMessageOf<T>;
      const gone = this.closed.then((code) =>
        Promise.reject(new Error(`closed with ${code} before ${type}`)),
      );
      await Promise.race([once(this.#socket, 'message'), gone]);
    }
  }

  async identity(): Promise<{ workerId: string; secret: string }> {
    const { workerId, secret } = await this.next('welcome');
    return { workerId, secret };
  }

  async refusal(): Promise<string> {
    const { code, message } = await this.next('refused');
    return `${code} ${message}`;
  }

  leave(): Promise<number> {
    this.#socket.terminate();
    return this.closed;
  }
}
