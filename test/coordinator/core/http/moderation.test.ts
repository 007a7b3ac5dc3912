// Workers that are not wanted: what an owner can do over the API, seen from all sides.

import { describe, expect, it } from 'vitest';
import { HERE, moderatedCoordinator, type Volunteer } from './moderatedCoordinator.ts';

const world = moderatedCoordinator();

describe('A worker that is removed', () => {
  it('is told why, loses its place at once, and is told again when it comes back', async () => {
    const volunteer = world.volunteer();
    const other = await world.volunteer().identity();
    const identity = await volunteer.identity();
    const lost: string[] = [];
    world.coordinator.pool.on((event) => event.type === 'lost' && lost.push(event.reason));
    expect(await world.ask(`/api/v1/workers/${identity.workerId}/remove`, { reason: 'wrong sums' })).toEqual({
      status: 200,
      body: { removed: [identity.workerId], bans: [] },
    });
    expect([world.present(), lost]).toEqual([[other.workerId], ['sent away: wrong sums']]);
    expect(await volunteer.next('shutdown')).toEqual({
      type: 'shutdown',
      reconnect: false,
      reason: 'wrong sums',
    });
    expect(await volunteer.closed).toBe(1008);
    expect(await world.volunteer({ identity }).refusal()).toBe('WORKER_REMOVED wrong sums');
    // Its volunteer may open the join link again.
    expect((await world.volunteer().identity()).workerId).not.toBe(identity.workerId);
  });

  it('is told so too when it was away at that moment', async () => {
    const volunteer = world.volunteer();
    const identity = await volunteer.identity();
    await volunteer.leave();
    await expect.poll(() => world.coordinator.pool.worker(identity.workerId)?.present).toBe(false);
    await world.ask(`/api/v1/workers/${identity.workerId}/remove`, {});
    expect(world.present()).toEqual([]);
    expect(await world.volunteer({ identity }).refusal()).toBe('WORKER_REMOVED removed by the owner');
  });

  it('may come back under its id once its ban is lifted, without a restart', async () => {
    const identity = await world.volunteer({ life: 'one' }).identity();
    await world.ask(`/api/v1/workers/${identity.workerId}/remove`, { ban: 'worker' });
    await world.ask('/api/v1/bans/lift', { value: identity.workerId });
    expect(await world.volunteer({ identity, life: 'two' }).identity()).toEqual(identity);
  });

  it('and banned stays out after a world.restart, until the ban is lifted', async () => {
    const identity = await world.volunteer().identity();
    const { workerId } = identity;
    const before = Date.now();
    const removal = await world.ask(`/api/v1/workers/${workerId}/remove`, { ban: 'worker', reason: 'spam' });
    expect(removal.body).toMatchObject({ removed: [workerId], bans: [{ kind: 'worker', value: workerId }] });
    await world.restart();
    const { body } = await world.ask('/api/v1/bans');
    const { bans } = body as { bans: { bannedAtMs: number }[] };
    expect(bans).toMatchObject([{ kind: 'worker', value: workerId, reason: 'spam' }]);
    expect(bans[0]!.bannedAtMs).toBeGreaterThanOrEqual(before);
    expect(bans[0]!.bannedAtMs).toBeLessThanOrEqual(Date.now());
    expect(await world.volunteer({ identity }).refusal()).toBe('WORKER_BANNED This worker is banned: spam');
    expect(await world.ask('/api/v1/bans/lift', { value: workerId })).toMatchObject({
      body: { lifted: bans },
    });
    expect(await world.volunteer({ identity }).identity()).toEqual(identity);
    expect(await world.ask('/api/v1/bans')).toEqual({ status: 200, body: { bans: [] } });
  });

  it('and banned with its address takes all workers of that address with it, and lets no new one in', async () => {
    const [one, two, far] = [
      world.volunteer({}, '2001:db8:1:2::1'),
      world.volunteer({}, '2001:db8:1:2:ffff::9'),
      world.volunteer({}, '2001:db8:1:3::1'),
    ];
    const ids = [await one.identity(), await two.identity(), await far.identity()].map((id) => id.workerId);
    const removal = await world.ask(`/api/v1/workers/${ids[0]}/remove`, { ban: 'address', reason: 'flood' });
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
    expect(world.present()).toEqual([ids[2]]);
    await world.restart();
    const again = (): Volunteer => world.volunteer({}, '2001:db8:1:2:abcd::');
    expect(await again().refusal()).toBe('WORKER_BANNED Workers of this address are banned: flood');
    await world.volunteer({}, HERE).identity();
    await world.ask('/api/v1/bans/lift', { value: '2001:db8:1:2::1' });
    await again().identity();
  });

  it('may be gone already: an address is banned by itself', async () => {
    const stays = await world.volunteer({}, '198.51.100.1').identity();
    const goes = await world.volunteer({}, HERE).identity();
    expect(await world.ask('/api/v1/bans', { address: `::ffff:${HERE}` })).toMatchObject({
      status: 201,
      body: {
        removed: [goes.workerId],
        bans: [{ kind: 'address', value: HERE, reason: 'removed by the owner' }],
      },
    });
    expect(world.present()).toEqual([stays.workerId]);
    const gone = await world.ask('/api/v1/workers/w-gone/remove', { ban: 'worker' });
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
    const volunteer = world.volunteer();
    const identity = await volunteer.identity();
    const { workerId } = identity;
    const other = (await world.volunteer().identity()).workerId;
    world.coordinator.pool.passCheck(workerId, 12);
    world.coordinator.pool.passCheck(other, 3);
    expect((await world.ask('/api/v1/workers')).body).toMatchObject({
      workers: [
        { workerId, trust: 'proven', checksPassed: 12 },
        { workerId: other, trust: 'unproven', checksPassed: 3 },
      ],
    });
    world.coordinator.pool.convict(workerId, evidence);
    expect(world.present()).toEqual([other]);
    expect((await volunteer.next('shutdown')).reason).toBe(reason);
    await world.restart();
    expect(await world.volunteer({ identity }).refusal()).toBe(
      `WORKER_BANNED This worker is banned: ${reason}`,
    );
    const lie = { workerId, evidence, foundAtMs: expect.any(Number) as number };
    expect((await world.ask('/api/v1/bans')).body).toEqual({
      bans: [{ kind: 'worker', value: workerId, reason, bannedAtMs: lie.foundAtMs, lies: [lie] }],
    });
    expect((await world.ask('/api/v1/bans/lift', { value: workerId })).body).toMatchObject({
      lifted: [{ value: workerId }],
      pardoned: [lie],
    });
    expect(await world.volunteer({ identity }).identity()).toEqual(identity);
    world.coordinator.pool.passCheck(workerId, 2);
    await world.restart();
    expect(await world.volunteer({ identity }).identity()).toEqual(identity);
    expect(world.coordinator.pool.worker(workerId)).toMatchObject({ isOwners: false, checksPassed: 2 });
    expect((await world.ask('/api/v1/bans')).body).toEqual({ bans: [] });
  });

  it('is pardoned before the next world.restart, too', async () => {
    const identity = await world.volunteer({ life: 'one' }).identity();
    world.coordinator.pool.convict(identity.workerId, evidence);
    const again = (): Volunteer => world.volunteer({ identity, life: 'two' });
    await expect.poll(() => world.coordinator.moderation.bans()).toHaveLength(1);
    expect(await again().refusal()).toBe(`WORKER_BANNED This worker is banned: ${reason}`);
    await world.ask('/api/v1/bans/lift', { value: identity.workerId });
    expect(await again().identity()).toEqual(identity);
  });

  it("is never the owner's own", async () => {
    const logged: string[] = [];
    await world.restart({ log: ({ level, message }) => level === 'error' && logged.push(message) });
    const { workerId } = await world.volunteer({ token: world.coordinator.tokens.local }).identity();
    world.coordinator.pool.convict(workerId, evidence);
    expect((await world.ask('/api/v1/workers')).body).toMatchObject({
      workers: [{ workerId, trust: 'owners' }],
    });
    expect([logged.length, world.coordinator.moderation.bans()]).toEqual([1, []]);
    expect(logged[0]).toContain(workerId);
  });
});

describe('A worker that is drained', () => {
  it('gets no more work and stays, until it is given work again', async () => {
    const { workerId } = await world.volunteer().identity();
    const told = async (): Promise<unknown> => {
      const { body } = await world.ask('/api/v1/workers');
      const [{ isDrained, leaving }] = (body as { workers: [{ isDrained: boolean; leaving?: string }] })
        .workers;
      return [isDrained, leaving];
    };
    expect(await told()).toEqual([false, undefined]);
    expect(await world.ask(`/api/v1/workers/${workerId}/drain`, {})).toEqual({
      status: 200,
      body: { workerId, drained: true },
    });
    expect(await told()).toEqual([true, 'drained by the owner']);
    expect(await world.ask(`/api/v1/workers/${workerId}/undrain`, {})).toMatchObject({
      body: { drained: false },
    });
    expect(await told()).toEqual([false, undefined]);
    expect(world.present()).toEqual([workerId]);
  });
});

describe('What is told of workers', () => {
  it('has links once for both ends, of members of one run alone', async () => {
    const ids = await Promise.all(
      Array.from({ length: 4 }, async () => (await world.volunteer().identity()).workerId),
    );
    const { pool } = world.coordinator;
    const [a, b, c, d] = pool.workers().map(({ workerId }) => workerId) as [string, string, string, string];
    expect(new Set([a, b, c, d])).toEqual(new Set(ids));
    expect(await world.ask('/api/v1/workers/links')).toEqual({
      status: 200,
      body: { workers: [], links: [] },
    });
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
    const { body } = await world.ask('/api/v1/workers/links');
    expect(body).toEqual({
      workers: [a, b, c, d].map((workerId) => ({ workerId, runId: workerId === d ? 'other' : 'r' })),
      links: [
        [0, 1, 0],
        [0, 2, 1],
      ],
    });
    const { workers } = (await world.ask('/api/v1/workers')).body as { workers: Record<string, unknown>[] };
    expect(workers[0]).toMatchObject({ links: { direct: 1, relay: 1 }, relayedBytes: 0, isDrained: false });
    expect(workers[0]!['ageMs']).toBeGreaterThanOrEqual(0);
    expect((await world.ask('/api/v1/workers/links', undefined, 'wrong')).status).toBe(401);
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
    const { admin } = world.coordinator.tokens;
    expect(await world.ask(path, body)).toMatchObject({ status, body: { error: { code } } });
    expect(await world.ask('/api/v1/bans')).toEqual({ status: 200, body: { bans: [] } });
    expect(world.coordinator.tokens.admin).toBe(admin);
  });

  it.each([
    '/api/v1/workers/w-none/remove',
    '/api/v1/bans',
    '/api/v1/bans/lift',
    '/api/v1/tokens/join',
    '/api/v1/tokens/admin',
  ])('to whoever has the join token alone: %s', async (path) => {
    const before = [world.coordinator.tokens.admin, world.coordinator.tokens.join];
    for (const token of [world.coordinator.tokens.join, 'guess']) {
      expect((await world.ask(path, {}, token)).status).toBe(401);
    }
    expect([world.coordinator.tokens.admin, world.coordinator.tokens.join]).toEqual(before);
  });
});
