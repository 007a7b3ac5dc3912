// Workers that are not wanted, and tokens that others know: what an owner can do over the API, seen from all sides.

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { CoordinatorOptions } from '../../../../coordinator/core/server/coordinatorOptions.ts';
import type { Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { CoordinatorMessage, CoordinatorMessageOf } from '../../../../shared/protocol/control.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';

const HERE = '192.0.2.7';
const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

let folder: string;
let coordinator: Coordinator;
const sockets: WebSocket[] = [];

async function start(options: CoordinatorOptions = {}): Promise<void> {
  coordinator = await startCoordinator({
    port: 0,
    storagePath: folder,
    trustedProxies: ['loopback'],
    ...options,
  });
}
async function restart(options: CoordinatorOptions = {}): Promise<void> {
  await coordinator.close();
  await start(options);
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-moderation-'));
  await start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await coordinator.close();
  await rm(folder, { recursive: true, force: true });
});

/** A worker made by hand, seen from `address` through a proxy. */
class Volunteer {
  readonly #socket: WebSocket;
  readonly #heard: CoordinatorMessage[] = [];
  readonly closed: Promise<number>;

  constructor(said: object = {}, address = HERE) {
    const url = new URL('/control', coordinator.url.replace('http', 'ws'));
    this.#socket = new WebSocket(url, { headers: { 'X-Forwarded-For': address } });
    sockets.push(this.#socket);
    this.closed = once(this.#socket, 'close').then(([code]) => code as number);
    this.#socket.on('message', (data: Buffer) =>
      this.#heard.push(JSON.parse(data.toString()) as CoordinatorMessage),
    );
    const { join: token } = coordinator.tokens;
    this.#socket.on('open', () => this.#socket.send(JSON.stringify({ ...hello, token, ...said })));
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

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function ask(path: string, json?: unknown, token = coordinator.tokens.admin): Promise<Answer> {
  const answer = await fetch(new URL(path, coordinator.url), {
    headers: { authorization: `Bearer ${token}` },
    ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const present = (): string[] => coordinator.pool.workers().map(({ workerId }) => workerId);

describe('A worker that is removed', () => {
  it('is told why, loses its place at once, and is told again when it comes back', async () => {
    const volunteer = new Volunteer();
    const other = await new Volunteer().identity();
    const identity = await volunteer.identity();
    const lost: string[] = [];
    coordinator.pool.on((event) => event.type === 'lost' && lost.push(event.reason));
    expect(await ask(`/api/v1/workers/${identity.workerId}/remove`, { reason: 'wrong sums' })).toEqual({
      status: 200,
      body: { removed: [identity.workerId], bans: [] },
    });
    expect([present(), lost]).toEqual([[other.workerId], ['sent away: wrong sums']]);
    expect(await volunteer.next('shutdown')).toEqual({
      type: 'shutdown',
      reconnect: false,
      reason: 'wrong sums',
    });
    expect(await volunteer.closed).toBe(1008);
    expect(await new Volunteer({ identity }).refusal()).toBe('WORKER_REMOVED wrong sums');
    // Its volunteer may open the join link again.
    expect((await new Volunteer().identity()).workerId).not.toBe(identity.workerId);
  });

  it('is told so too when it was away at that moment', async () => {
    const volunteer = new Volunteer();
    const identity = await volunteer.identity();
    await volunteer.leave();
    await expect.poll(() => coordinator.pool.worker(identity.workerId)?.present).toBe(false);
    await ask(`/api/v1/workers/${identity.workerId}/remove`, {});
    expect(present()).toEqual([]);
    expect(await new Volunteer({ identity }).refusal()).toBe('WORKER_REMOVED removed by the owner');
  });

  it('may come back under its id once its ban is lifted, without a restart', async () => {
    const identity = await new Volunteer({ life: 'one' }).identity();
    await ask(`/api/v1/workers/${identity.workerId}/remove`, { ban: 'worker' });
    await ask('/api/v1/bans/lift', { value: identity.workerId });
    expect(await new Volunteer({ identity, life: 'two' }).identity()).toEqual(identity);
  });

  it('and banned stays out after a restart, until the ban is lifted', async () => {
    const identity = await new Volunteer().identity();
    const { workerId } = identity;
    const before = Date.now();
    const removal = await ask(`/api/v1/workers/${workerId}/remove`, { ban: 'worker', reason: 'spam' });
    expect(removal.body).toMatchObject({ removed: [workerId], bans: [{ kind: 'worker', value: workerId }] });
    await restart();
    const { body } = await ask('/api/v1/bans');
    const { bans } = body as { bans: { bannedAtMs: number }[] };
    expect(bans).toMatchObject([{ kind: 'worker', value: workerId, reason: 'spam' }]);
    expect(bans[0]!.bannedAtMs).toBeGreaterThanOrEqual(before);
    expect(bans[0]!.bannedAtMs).toBeLessThanOrEqual(Date.now());
    expect(await new Volunteer({ identity }).refusal()).toBe('WORKER_BANNED This worker is banned: spam');
    expect(await ask('/api/v1/bans/lift', { value: workerId })).toMatchObject({ body: { lifted: bans } });
    expect(await new Volunteer({ identity }).identity()).toEqual(identity);
    expect(await ask('/api/v1/bans')).toEqual({ status: 200, body: { bans: [] } });
  });

  it('and banned with its address takes all workers of that address with it, and lets no new one in', async () => {
    const [one, two, far] = [
      new Volunteer({}, '2001:db8:1:2::1'),
      new Volunteer({}, '2001:db8:1:2:ffff::9'),
      new Volunteer({}, '2001:db8:1:3::1'),
    ];
    const ids = [await one.identity(), await two.identity(), await far.identity()].map((id) => id.workerId);
    const removal = await ask(`/api/v1/workers/${ids[0]}/remove`, { ban: 'address', reason: 'flood' });
    expect(removal).toMatchObject({
      status: 200,
      body: {
        removed: ids.slice(0, 2),
        bans: [
          { kind: 'worker', value: ids[0] },
          { kind: 'address', value: '2001:db8:1:2::/64' },
        ],
      },
    });
    expect((await two.next('shutdown')).reason).toBe('flood');
    expect(present()).toEqual([ids[2]]);
    await restart();
    const again = (): Volunteer => new Volunteer({}, '2001:db8:1:2:abcd::');
    expect(await again().refusal()).toBe('WORKER_BANNED Workers of this address are banned: flood');
    await new Volunteer({}, HERE).identity();
    await ask('/api/v1/bans/lift', { value: '2001:db8:1:2::1' });
    await again().identity();
  });

  it('may be gone already: an address is banned by itself', async () => {
    const stays = await new Volunteer({}, '198.51.100.1').identity();
    const goes = await new Volunteer({}, HERE).identity();
    expect(await ask('/api/v1/bans', { address: `::ffff:${HERE}` })).toMatchObject({
      status: 201,
      body: {
        removed: [goes.workerId],
        bans: [{ kind: 'address', value: HERE, reason: 'removed by the owner' }],
      },
    });
    expect(present()).toEqual([stays.workerId]);
    const gone = await ask('/api/v1/workers/w-gone/remove', { ban: 'worker' });
    expect(gone).toMatchObject({ status: 200, body: { removed: [], bans: [{ value: 'w-gone' }] } });
  });
});

describe('A worker that lied', () => {
  const evidence = {
    what: 'told another histogram',
    runId: 'r',
    round: 12,
    level: 3,
    claimed: 'aa',
    found: 'bb',
  };
  const reason = 'told another histogram (run r, round 12, level 3, claimed aa, found bb)';

  it('stays out over restarts, is listed with the evidence, and comes back pardoned as a newcomer', async () => {
    const volunteer = new Volunteer();
    const identity = await volunteer.identity();
    const { workerId } = identity;
    const other = (await new Volunteer().identity()).workerId;
    coordinator.pool.passCheck(workerId, 12);
    coordinator.pool.passCheck(other, 3);
    expect((await ask('/api/v1/workers')).body).toMatchObject({
      workers: [
        { workerId, trust: 'proven', checksPassed: 12 },
        { workerId: other, trust: 'unproven', checksPassed: 3 },
      ],
    });
    coordinator.pool.convict(workerId, evidence);
    expect(present()).toEqual([other]);
    expect((await volunteer.next('shutdown')).reason).toBe(reason);
    await restart();
    expect(await new Volunteer({ identity }).refusal()).toBe(
      `WORKER_BANNED This worker is banned: ${reason}`,
    );
    const lie = { workerId, evidence, foundAtMs: expect.any(Number) as number };
    expect((await ask('/api/v1/bans')).body).toEqual({
      bans: [{ kind: 'worker', value: workerId, reason, bannedAtMs: lie.foundAtMs, lies: [lie] }],
    });
    expect((await ask('/api/v1/bans/lift', { value: workerId })).body).toMatchObject({
      lifted: [{ value: workerId }],
      pardoned: [lie],
    });
    expect(await new Volunteer({ identity }).identity()).toEqual(identity);
    coordinator.pool.passCheck(workerId, 2);
    await restart();
    expect(await new Volunteer({ identity }).identity()).toEqual(identity);
    expect(coordinator.pool.worker(workerId)).toMatchObject({ isOwners: false, checksPassed: 2 });
    expect((await ask('/api/v1/bans')).body).toEqual({ bans: [] });
  });

  it('is pardoned before the next restart, too', async () => {
    const identity = await new Volunteer({ life: 'one' }).identity();
    coordinator.pool.convict(identity.workerId, evidence);
    const again = (): Volunteer => new Volunteer({ identity, life: 'two' });
    await expect.poll(() => coordinator.moderation.bans()).toHaveLength(1);
    expect(await again().refusal()).toBe(`WORKER_BANNED This worker is banned: ${reason}`);
    await ask('/api/v1/bans/lift', { value: identity.workerId });
    expect(await again().identity()).toEqual(identity);
  });

  it("is never the owner's own", async () => {
    const logged: string[] = [];
    await restart({ log: ({ level, message }) => level === 'error' && logged.push(message) });
    const { workerId } = await new Volunteer({ token: coordinator.tokens.local }).identity();
    coordinator.pool.convict(workerId, evidence);
    expect((await ask('/api/v1/workers')).body).toMatchObject({ workers: [{ workerId, trust: 'owners' }] });
    expect([logged.length, coordinator.moderation.bans()]).toEqual([1, []]);
    expect(logged[0]).toContain(workerId);
  });
});

describe('A worker that is drained', () => {
  it('gets no more work and stays, until it is given work again', async () => {
    const { workerId } = await new Volunteer().identity();
    const told = async (): Promise<unknown> => {
      const { body } = await ask('/api/v1/workers');
      const [{ isDrained, leaving }] = (body as { workers: [{ isDrained: boolean; leaving?: string }] })
        .workers;
      return [isDrained, leaving];
    };
    expect(await told()).toEqual([false, undefined]);
    expect(await ask(`/api/v1/workers/${workerId}/drain`, {})).toEqual({
      status: 200,
      body: { workerId, drained: true },
    });
    expect(await told()).toEqual([true, 'drained by the owner']);
    expect(await ask(`/api/v1/workers/${workerId}/undrain`, {})).toMatchObject({ body: { drained: false } });
    expect(await told()).toEqual([false, undefined]);
    expect(present()).toEqual([workerId]);
  });
});

describe('What is told of workers', () => {
  it('has links once for both ends, of members of one run alone', async () => {
    const ids = await Promise.all(
      Array.from({ length: 4 }, async () => (await new Volunteer().identity()).workerId),
    );
    const { pool } = coordinator;
    const [a, b, c, d] = pool.workers().map(({ workerId }) => workerId) as [string, string, string, string];
    expect(new Set([a, b, c, d])).toEqual(new Set(ids));
    expect(await ask('/api/v1/workers/links')).toEqual({ status: 200, body: { workers: [], links: [] } });
    const seen = new Map([
      [
        a,
        [
          [b, 'direct'],
          [c, 'relay'],
        ],
      ],
      [b, [[a, 'direct']]],
      [
        c,
        [
          [d, 'direct'],
          [c, 'direct'],
          ['w-gone', 'direct'],
        ],
      ],
    ]);
    for (const workerId of [a, b, c]) pool.claim(workerId, 'r');
    pool.claim(d, 'other');
    const real = pool.seen.bind(pool);
    pool.seen = (workerId) => ({
      ...real(workerId)!,
      links: (seen.get(workerId) ?? []).map(([other, path]) => ({
        workerId: other!,
        path: path as 'direct' | 'relay',
      })),
    });
    const { body } = await ask('/api/v1/workers/links');
    expect(body).toEqual({
      workers: [a, b, c, d].map((workerId) => ({ workerId, runId: workerId === d ? 'other' : 'r' })),
      links: [
        [0, 1, 0],
        [0, 2, 1],
      ],
    });
    const { workers } = (await ask('/api/v1/workers')).body as { workers: Record<string, unknown>[] };
    expect(workers[0]).toMatchObject({ links: { direct: 1, relay: 1 }, relayedBytes: 0, isDrained: false });
    expect(workers[0]!['ageMs']).toBeGreaterThanOrEqual(0);
    expect((await ask('/api/v1/workers/links', undefined, 'wrong')).status).toBe(401);
  });
});

describe('Removing and banning is refused', () => {
  it.each([
    ['a worker that is not there', '/api/v1/workers/w-none/remove', {}, 404, 'WORKER_UNKNOWN'],
    [
      'the address of one that is not there',
      '/api/v1/workers/w-none/remove',
      { ban: 'address' },
      404,
      'WORKER_UNKNOWN',
    ],
    ['to drain who is not there', '/api/v1/workers/w-none/drain', {}, 404, 'WORKER_UNKNOWN'],
    ['to drain with words', '/api/v1/workers/w-none/drain', { reason: 'x' }, 400, 'BAD_REQUEST'],
    ['another kind of ban', '/api/v1/workers/w-none/remove', { ban: 'all' }, 400, 'BAD_REQUEST'],
    ['an unknown field', '/api/v1/workers/w-none/remove', { bann: 'worker' }, 400, 'BAD_REQUEST'],
    [
      'a reason that is too long',
      '/api/v1/bans',
      { address: HERE, reason: 'x'.repeat(301) },
      400,
      'BAD_REQUEST',
    ],
    ['what is no address', '/api/v1/bans', { address: 'gpu.example' }, 400, 'BAD_REQUEST'],
    ['this machine', '/api/v1/bans', { address: '127.0.0.9' }, 400, 'BAD_REQUEST'],
    ['this machine by IPv6', '/api/v1/bans', { address: '::1' }, 400, 'BAD_REQUEST'],
    ['nothing to lift', '/api/v1/bans/lift', {}, 400, 'BAD_REQUEST'],
    [
      'to send away who joined by the admin token',
      '/api/v1/tokens/admin',
      { disconnect: true },
      400,
      'BAD_REQUEST',
    ],
    ['a token of another kind', '/api/v1/tokens/local', {}, 404, 'NOT_FOUND'],
  ])('for %s', async (_, path, body, status, code) => {
    const { admin } = coordinator.tokens;
    expect(await ask(path, body)).toMatchObject({ status, body: { error: { code } } });
    expect(await ask('/api/v1/bans')).toEqual({ status: 200, body: { bans: [] } });
    expect(coordinator.tokens.admin).toBe(admin);
  });

  it.each([
    '/api/v1/workers/w-none/remove',
    '/api/v1/bans',
    '/api/v1/bans/lift',
    '/api/v1/tokens/join',
    '/api/v1/tokens/admin',
  ])('to whoever has the join token alone: %s', async (path) => {
    const before = [coordinator.tokens.admin, coordinator.tokens.join];
    for (const token of [coordinator.tokens.join, 'guess']) {
      expect((await ask(path, {}, token)).status).toBe(401);
    }
    expect([coordinator.tokens.admin, coordinator.tokens.join]).toEqual(before);
  });
});

describe('A new join token', () => {
  it('keeps out who has the old one, with and without an identity; who is there works on', async () => {
    const { join: old, local } = coordinator.tokens;
    const staying = new Volunteer();
    const identity = await staying.identity();
    const ownIdentity = await new Volunteer({ token: local }).identity();
    const { body } = await ask('/api/v1/tokens/join', {});
    const { join } = coordinator.tokens;
    expect(join).not.toBe(old);
    expect(body).toEqual({ kind: 'join', token: join, joinUrl: coordinator.joinUrl, removed: [] });
    expect(coordinator.joinUrl).toContain(`#token=${join}`);
    expect(present()).toEqual([identity.workerId, ownIdentity.workerId]);
    expect(await new Volunteer({ token: old }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    await staying.leave();
    expect(await new Volunteer({ token: old, identity }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    expect(await new Volunteer({ token: local, identity: ownIdentity }).identity()).toEqual(ownIdentity);
    await new Volunteer({ token: join }).identity();
    await restart({ joinToken: old });
    expect(coordinator.tokens.join).toBe(join);
    expect(await new Volunteer({ token: old, identity }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });

  it('sends away at once who joined by the old one, where that is asked for; the own workers stay', async () => {
    const { join: old, local } = coordinator.tokens;
    const volunteer = new Volunteer();
    const { workerId } = await volunteer.identity();
    const own = await new Volunteer({ token: local }).identity();
    expect((await ask('/api/v1/tokens/join', { disconnect: true })).body).toMatchObject({
      removed: [workerId],
    });
    expect(await volunteer.next('shutdown')).toMatchObject({
      reconnect: false,
      reason: 'the join token was changed',
    });
    expect(present()).toEqual([own.workerId]);
    expect(await new Volunteer({ token: old }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });

  it('by another start sends everybody away, too', async () => {
    const identity = await new Volunteer().identity();
    await restart({ joinToken: 'the next' });
    const { join: made } = coordinator.tokens;
    expect(made).toBe('the next');
    expect(await new Volunteer({ identity, token: undefined }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });
});

describe('An invitation', () => {
  const HOUR_MS = 3_600_000;
  interface Made {
    readonly invitationId: string;
    readonly joinUrl: string;
  }
  const make = async (terms: object = {}): Promise<Made & { token: string }> => {
    const { status, body } = await ask('/api/v1/invitations', { count: 1, expiresInMs: HOUR_MS, ...terms });
    expect(status).toBe(201);
    const made = body as Made;
    return { ...made, token: new URL(made.joinUrl).hash.replace('#token=', '') };
  };
  const listed = async (): Promise<unknown[]> =>
    ((await ask('/api/v1/invitations')).body as { invitations: unknown[] }).invitations;

  it('lets so many in, now and after a restart; those may come back', async () => {
    const { token, joinUrl, invitationId } = await make({ count: 2, name: 'class 7b' });
    const link = (): string => `${coordinator.url}/join#token=${token}`;
    expect(joinUrl).toBe(link());
    const first = await new Volunteer({ token }).identity();
    const second = await new Volunteer({ token, life: 'one' }).identity();
    expect(await new Volunteer({ token }).refusal()).toBe(
      'INVITATION_USED_UP This invitation was for 2 workers, who joined. Ask the owner for a new link.',
    );
    await restart();
    expect(await new Volunteer({ token }).refusal()).toMatch(/^INVITATION_USED_UP/);
    expect(await new Volunteer({ identity: first, token }).identity()).toEqual(first);
    const again = new Volunteer({ identity: second, token, life: 'one' });
    expect(await again.identity()).toEqual(second);
    expect(await listed()).toMatchObject([
      {
        invitationId,
        name: 'class 7b',
        count: 2,
        used: 2,
        state: 'used up',
        isTrusted: false,
        joinUrl: link(),
      },
    ]);
    expect(JSON.stringify(await listed())).not.toContain('"token"');
  });

  it('gives a worker that was lost for good its place under another id', async () => {
    await restart({ graceMs: 0 });
    const { token } = await make();
    const volunteer = new Volunteer({ token });
    const identity = await volunteer.identity();
    await volunteer.leave();
    await expect.poll(() => present()).toEqual([]);
    const next = await new Volunteer({ token, identity }).identity();
    expect(next.workerId).not.toBe(identity.workerId);
    expect(await new Volunteer({ token }).refusal()).toMatch(/^INVITATION_USED_UP/);
    // The former id is no second place.
    expect(await new Volunteer({ token, identity, life: 'other' }).refusal()).toMatch(/^INVITATION_USED_UP/);
    expect(await listed()).toMatchObject([{ used: 1 }]);
  });

  it('that was revoked lets nobody in, nor back; who is there works on, or goes where that is asked for', async () => {
    const [kept, gone] = [await make({ count: 5 }), await make({ count: 5 })];
    const staying = new Volunteer({ token: kept.token });
    const going = new Volunteer({ token: gone.token });
    const [stayingId, goingId] = [await staying.identity(), await going.identity()];
    const other = await new Volunteer().identity();
    const revoke = (made: Made, body: object): Promise<Answer> =>
      ask(`/api/v1/invitations/${made.invitationId}/revoke`, body);
    expect(await revoke(kept, {})).toEqual({
      status: 200,
      body: { invitationId: kept.invitationId, removed: [] },
    });
    expect(await new Volunteer({ token: kept.token }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    expect((await revoke(gone, { disconnect: true })).body).toEqual({
      invitationId: gone.invitationId,
      removed: [goingId.workerId],
    });
    expect(await going.next('shutdown')).toMatchObject({ reason: 'the invitation was revoked' });
    expect(present()).toEqual([stayingId.workerId, other.workerId]);
    await staying.leave();
    expect(await new Volunteer({ identity: stayingId, token: kept.token }).refusal()).toMatch(
      /^TOKEN_REQUIRED/,
    );
    expect(await revoke(gone, {})).toMatchObject({
      status: 404,
      body: { error: { code: 'INVITATION_UNKNOWN' } },
    });
    expect(await listed()).toEqual([]);
  });

  it('stays in force when the join token is changed', async () => {
    const { token } = await make({ count: 2 });
    const before = await new Volunteer({ token }).identity();
    await ask('/api/v1/tokens/join', { disconnect: true });
    expect(present()).toEqual([before.workerId]);
    await new Volunteer({ token }).identity();
  });

  it("can be for the owner's own machines, also when they come back", async () => {
    const { token } = await make({ isTrusted: true, count: 1 });
    const volunteer = new Volunteer({ token });
    const identity = await volunteer.identity();
    expect((await ask('/api/v1/workers')).body).toMatchObject({ workers: [{ trust: 'owners' }] });
    await restart();
    await new Volunteer({ token, identity }).identity();
    expect((await ask('/api/v1/workers')).body).toMatchObject({
      workers: [{ workerId: identity.workerId, trust: 'owners' }],
    });
  });

  it.each([
    [{ expiresInMs: HOUR_MS }],
    [{ count: 0, expiresInMs: HOUR_MS }],
    [{ count: 1.5, expiresInMs: HOUR_MS }],
    [{ count: 1e6, expiresInMs: HOUR_MS }],
    [{ count: 1, expiresInMs: 1 }],
    [{ count: 1, expiresInMs: 1e12 }],
    [{ count: 1, expiresInMs: HOUR_MS, name: 'a\nb' }],
    [{ count: 1, expiresInMs: HOUR_MS, name: ' ' }],
    [{ count: 1, expiresInMs: HOUR_MS, cout: 2 }],
  ])('of %j is refused', async (terms) => {
    expect(await ask('/api/v1/invitations', terms)).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST' } },
    });
    expect(await listed()).toEqual([]);
  });

  it('is the matter of owners', async () => {
    const { token } = await make();
    for (const path of ['/api/v1/invitations', '/api/v1/invitations/i-1/revoke']) {
      expect((await ask(path, {}, token)).status).toBe(401);
    }
    expect((await ask('/api/v1/invitations', undefined, token)).status).toBe(401);
  });
});

describe('A new admin token', () => {
  it('is in force at once, and the old one never again', async () => {
    const { admin: old } = coordinator.tokens;
    const { body } = await ask('/api/v1/tokens/admin', {});
    const { admin } = coordinator.tokens;
    expect(body).toEqual({ kind: 'admin', token: admin, removed: [] });
    expect([
      (await ask('/api/v1/status', undefined, old)).status,
      (await ask('/api/v1/status')).status,
    ]).toEqual([401, 200]);
    await restart({ adminToken: old });
    expect(coordinator.tokens.admin).toBe(admin);
  });
});

describe('Without a token, under any name,', () => {
  /** As a page of evil.example asks, whose name was made to point here. */
  const rebound = (path: string, method = 'GET'): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(coordinator.url);
      const host = `evil.example:${port}`;
      const headers = { host, origin: `http://${host}` };
      const request = httpRequest({ hostname: '127.0.0.1', port, path, method, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end();
    });

  it('a coordinator that others reach says what it is, that it works, and nothing more', async () => {
    await restart({ host: '0.0.0.0' });
    const { workerId } = await new Volunteer().identity();
    expect(await rebound('/')).toEqual({ status: 200, text: 'tabgrad coordinator\n' });
    expect(await rebound('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    const closed = [
      ['GET', '/metrics'],
      ['GET', '/api/v1/status'],
      ['GET', '/api/v1/workers'],
      ['GET', '/api/v1/runs'],
      ['POST', '/api/v1/runs'],
      ['GET', '/api/v1/runs/r'],
      ['GET', '/api/v1/runs/r/events'],
      ['GET', '/api/v1/runs/r/outcome'],
      ['POST', '/api/v1/runs/r/stop'],
      ['GET', '/api/v1/experiments'],
      ['GET', '/api/v1/bans'],
      ['PUT', `/blobs/${'0'.repeat(64)}`],
      ['GET', `/blobs/${'0'.repeat(64)}`],
    ] as const;
    for (const [method, path] of closed) {
      const { status, text } = await rebound(path, method);
      expect([path, status, text.includes(workerId)]).toEqual([path, 401, false]);
    }
  });

  it('the page of the coordinator is for its owner; a wrong token is refused there, too', async () => {
    await new Volunteer().identity();
    const page = (token: string): Promise<Response> =>
      fetch(coordinator.url, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await page(coordinator.tokens.admin)).text()).toContain('workers: 1\n  node on x\n');
    for (const token of ['guess', coordinator.tokens.join]) {
      const refused = await page(token);
      expect([refused.status, await refused.text()]).toEqual([
        401,
        expect.stringContaining('TOKEN_REQUIRED'),
      ]);
    }
  });
});
