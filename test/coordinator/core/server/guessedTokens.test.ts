// Whoever guesses tokens, met over real sockets: slowed down, written down, and in nobody's way.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { LogEntry } from '../../../../coordinator/log/log.ts';
import { FREE_ATTEMPTS } from '../../../../coordinator/core/pool/attemptThrottle.ts';
import { PROGRAM_PATH } from '../../../../shared/protocol/program.ts';
import { workerAuthorization } from '../../../../shared/protocol/workerCredentials.ts';
import { RELAY_PATH } from '../../../../coordinator/core/signalling/relay.ts';
import { SLOT_PATH } from '../../../../coordinator/core/programs/slotMessages.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { joinWorker } from '../../../setup/joinedWorker.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

const ADMIN = 'admin-token-that-nobody-guesses';
const JOIN = 'letmein';

describe('a coordinator whose tokens somebody guesses', () => {
  let coordinator: Coordinator;
  let clock: ManualClock;
  let log: LogEntry[];
  const sockets: WebSocket[] = [];

  beforeEach(async () => {
    clock = new ManualClock();
    log = [];
    coordinator = await startCoordinator({
      port: 0,
      adminToken: ADMIN,
      joinToken: JOIN,
      trustedProxies: ['loopback'],
      clock,
      log: (entry) => void log.push(entry),
    });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    await coordinator.close();
  });

  const ask = (token: string | undefined, address: string): Promise<Response> =>
    fetch(`${coordinator.url}/api/v1/status`, {
      headers: {
        'x-forwarded-for': address,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    });

  const open = (path: string, headers: Record<string, string>): WebSocket => {
    const socket = new WebSocket(`${coordinator.url.replace('http', 'ws')}${path}`, { headers });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  };

  /** @returns the code of the refusal, or how the socket was closed, or "welcome". */
  async function join(token: string, address: string): Promise<string> {
    const socket = open('/control', { 'x-forwarded-for': address });
    const outcome = Promise.race([
      once(socket, 'message').then(([data]) => {
        const { type, code } = JSON.parse(String(data)) as { type: string; code?: string };
        return code ?? type;
      }),
      once(socket, 'close').then(([code, reason]) => `${String(code)} ${String(reason)}`),
    ]);
    await once(socket, 'open');
    const device = { kind: 'cpu', name: 'x' };
    const hello = { type: 'hello', protocol: PROTOCOL_VERSION, runtime: 'node', device, cores: 1, token };
    socket.send(JSON.stringify(hello));
    return outcome;
  }

  const guesser = '203.0.113.7';
  const blob = async (id: string, secret: string): Promise<number> => {
    const authorization = workerAuthorization({ workerId: id, secret });
    const headers = { 'x-forwarded-for': guesser, authorization };
    return (await fetch(`${coordinator.url}/blobs/${'0'.repeat(64)}`, { headers })).status;
  };
  /** Says one thing at a socket and waits until that is closed. */
  async function refused(path: string, message?: object): Promise<void> {
    const socket = open(path, { 'x-forwarded-for': guesser });
    const closed = once(socket, 'close');
    await once(socket, 'open');
    if (message) socket.send(JSON.stringify(message));
    await closed;
  }
  const relay = (worker: string, token: string): Promise<void> =>
    refused(RELAY_PATH, { type: 'join', worker, token, peer: 'w-other', group: 'run/1' });
  const program = (workerId: string, secret: string): Promise<void> =>
    refused(PROGRAM_PATH, { type: 'join', workerId, secret, instanceId: 'p-1' });
  const signalling = (id: string, token: string): Promise<void> =>
    refused(`/peerjs/peerjs?key=tabgrad&id=${id}&token=${token}`);
  const comeBack = (workerId: string, secret: string): Promise<void> => {
    const device = { kind: 'cpu', name: 'x' };
    const identity = { workerId, secret };
    return refused('/control', {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      runtime: 'node',
      device,
      cores: 1,
      identity,
    });
  };

  it('answers 401 ten times, then 429 with the time to wait, by address', async () => {
    const statuses: number[] = [];
    for (let nth = 0; nth < FREE_ATTEMPTS + 2; nth++) {
      const response = await ask(`guess-${nth}`, '203.0.113.7');
      statuses.push(response.status);
      if (response.status !== 429) continue;
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await response.json()).toEqual({
        error: {
          code: 'TOO_MANY_ATTEMPTS',
          message: 'Too many wrong tokens came from this address; try again in 1 s.',
        },
      });
    }
    expect(statuses).toEqual([...Array<number>(FREE_ATTEMPTS).fill(401), 429, 429]);
    expect((await ask('guess', '203.0.113.8')).status).toBe(401);
    expect((await ask(ADMIN, '203.0.113.7')).status).toBe(200);
    expect((await ask(undefined, '203.0.113.7')).status).toBe(401);
    clock.advance(1_000);
    expect((await ask('guess', '203.0.113.7')).status).toBe(401);
    expect((await ask('guess', '203.0.113.7')).headers.get('retry-after')).toBe('2');
  });

  it('refuses sockets of owners the same way', async () => {
    for (let nth = 0; nth < FREE_ATTEMPTS; nth++) await ask(`guess-${nth}`, '203.0.113.7');
    const headers = { 'x-forwarded-for': '203.0.113.7', authorization: 'Bearer guess' };
    const [, response] = (await once(open(SLOT_PATH, headers), 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ];
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '1']);
    await once(open(SLOT_PATH, { ...headers, authorization: `Bearer ${ADMIN}` }), 'open');
  });

  it('tells workers to come back later, since one with the right token may be behind the same address', async () => {
    for (let nth = 0; nth < FREE_ATTEMPTS; nth++)
      expect(await join(`guess-${nth}`, '2001:db8::1')).toBe('TOKEN_REQUIRED');
    // The token is short: it is not looked at.
    expect(await join(JOIN, '2001:db8::2')).toBe('1013 Too many wrong tokens came from this add');
    expect(await join(JOIN, '2001:db8:0:1::2')).toBe('welcome');
    expect(await join(coordinator.tokens.local, '2001:db8::3')).toBe('welcome');
    clock.advance(1_000);
    expect(await join(JOIN, '2001:db8::2')).toBe('welcome');
  });

  it.each([
    ['blobs', (id: string) => blob(id, 'guess')],
    ['the relay', (id: string) => relay(id, 'guess')],
    ['programs', (id: string) => program(id, 'guess')],
    ['signalling', (id: string) => signalling(id, 'guess')],
    ['the pool, by an identity', (id: string) => comeBack(id, 'guess')],
  ] as const)("counts guesses of workers' secrets at %s like those of tokens", async (_, guess) => {
    const { workerId } = await joinWorker(coordinator.url, JOIN, { 'x-forwarded-for': '203.0.113.9' });
    for (let nth = 0; nth < FREE_ATTEMPTS - 1; nth++) await guess(workerId);
    expect((await ask('guess', guesser)).status).toBe(401);
    expect((await ask('guess', guesser)).status).toBe(429);
    expect((await ask('guess', '203.0.113.9')).status).toBe(401);
    expect(log.filter(({ kind }) => kind === 'refused').length).toBeGreaterThanOrEqual(FREE_ATTEMPTS);
    expect(JSON.stringify(log)).not.toContain('guess');
  });

  it('counts no secret of a worker that is gone, and takes right ones from an address that waits', async () => {
    const { workerId, secret, socket } = await joinWorker(coordinator.url, JOIN);
    const other = await joinWorker(coordinator.url, JOIN);
    const lost = new Promise((resolve) =>
      coordinator.pool.on(({ type }) => type === 'lost' && resolve(type)),
    );
    socket.close(1000);
    await lost;
    for (let nth = 0; nth < FREE_ATTEMPTS; nth++) expect(await blob(workerId, secret)).toBe(401);
    expect(await blob(workerId, 'guess')).toBe(401);
    for (let nth = 1; nth < FREE_ATTEMPTS; nth++) await ask('guess', guesser);
    expect(await blob(workerId, 'guess')).toBe(429);
    expect(await blob(other.workerId, other.secret)).toBe(404);
  });

  it('has the refusals in its log, with the address and without the tokens', async () => {
    await ask('guess-by-http', '203.0.113.7');
    await ask(undefined, '203.0.113.7');
    await join('guess-by-socket', '203.0.113.8');
    await once(open('/api/v1/nothing?token=guess', {}), 'unexpected-response');
    const foreign = await fetch(`${coordinator.url}/api/v1/status?token=guess`, {
      headers: { origin: 'https://evil.example.org', 'x-forwarded-for': '203.0.113.9' },
    });
    expect(foreign.status).toBe(403);
    expect(log.filter(({ kind }) => kind === 'refused').map(({ message }) => message)).toEqual([
      'Refused GET /api/v1/status of 203.0.113.7: The token is wrong: send "Authorization: Bearer <admin token>".',
      'Refused GET /api/v1/status of 203.0.113.7: A token is required: send "Authorization: Bearer <admin token>".',
      'Refused a worker at 203.0.113.8: The join token is missing or wrong. Ask the owner for the join link.',
      'Refused GET /api/v1/status of 203.0.113.9: A page of "https://evil.example.org" may not use this coordinator.',
    ]);
    expect(JSON.stringify(log)).not.toContain('guess');
  });

  it('is not open to guesses of the addresses that anybody writes into a header', async () => {
    await coordinator.close();
    coordinator = await startCoordinator({ port: 0, adminToken: ADMIN, log: () => undefined });
    const statuses: number[] = [];
    for (let nth = 0; nth <= FREE_ATTEMPTS; nth++)
      statuses.push((await ask(`guess-${nth}`, `203.0.113.${nth}`)).status);
    expect(statuses.at(-1)).toBe(429);
  });
});
