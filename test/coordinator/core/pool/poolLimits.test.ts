// What one worker, or one address, may take of a pool.

import { beforeEach, describe, expect, it } from 'vitest';
import type { PoolOptions } from '../../../../coordinator/core/pool/poolOptions.ts';
import { MAX_SEVERAL } from '../../../../shared/protocol/control.ts';
import { Client, hello, lossesOf, startPool, type PoolWorld } from './poolWorld.ts';

let { clock, pool, events }: PoolWorld = startPool();

function makePool(options: Partial<PoolOptions> = {}): void {
  ({ clock, pool, events } = startPool(options));
}
beforeEach(() => makePool());

const losses = (): string[] => lossesOf(events);

describe('The limits of a pool', () => {
  it('refuses a worker too many', () => {
    makePool({ maxWorkers: 1 });
    new Client(pool).say(hello);
    expect(new Client(pool).say(hello).refusal?.code).toBe('POOL_FULL');
  });

  it('refuses a hello that is far too long', () => {
    expect(new Client(pool).say({ ...hello, filler: 'x'.repeat(70_000) }).refusal?.code).toBe('RATE_LIMITED');
  });

  it('forgives some malformed messages, not many', () => {
    const client = new Client(pool).say(hello);
    for (let i = 0; i < 20; i += 1) client.say('?');
    expect(client.closed).toBeUndefined();
    client.say('?');
    expect(client.refusal?.code).toBe('BAD_REQUEST');
    expect(pool.counters.malformedMessages).toBe(21);
    expect(losses()).toHaveLength(1);
  });

  it('drops a worker that floods it, by number or by size', () => {
    makePool({ messageRate: { perSecond: 1, burst: 5 }, byteRate: { perSecond: 1, burst: 100_000 } });
    const chatty = new Client(pool).say(hello);
    for (let i = 0; i < 5; i += 1) chatty.say({ type: 'available', peerId: `p${i}` });
    expect(chatty.refusal).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'Too many control messages a second.',
    });
    const heavy = new Client(pool).say(hello);
    heavy.say('x'.repeat(100_000));
    expect(heavy.refusal).toMatchObject({ code: 'RATE_LIMITED', message: 'Too many bytes a second.' });
  });

  it('takes long messages from members of a run alone, and for a while from former ones', () => {
    const long = 16 * 1024 * 1024;
    const short = 64 * 1024;
    const client = new Client(pool);
    expect([client.end.maxMessageBytes, client.end.hasJoined]).toEqual([short, false]);
    const { workerId } = client.say(hello).welcome;
    expect([client.end.maxMessageBytes, client.end.hasJoined]).toEqual([short, true]);
    pool.claim(workerId, 'run');
    expect(client.end.maxMessageBytes).toBe(long);
    pool.unclaim(workerId, 'run');
    clock.advance(59_999);
    expect(client.end.maxMessageBytes).toBe(long);
    clock.advance(1);
    expect(client.end.maxMessageBytes).toBe(short);
    client.end.closed(1006, '');
    expect(client.end.maxMessageBytes).toBe(0);
  });

  it('takes long messages from a worker of its earlier life, which may have been a member', () => {
    makePool({ identityKey: 'key' });
    const { workerId, secret } = new Client(pool).say(hello).welcome;
    makePool({ identityKey: 'key' });
    const back = new Client(pool).say({ ...hello, identity: { workerId, secret } });
    expect(back.welcome.workerId).toBe(workerId);
    expect(back.end.maxMessageBytes).toBe(16 * 1024 * 1024);
  });

  it('listens to nothing more of who was refused', () => {
    const client = new Client(pool).say('{');
    expect(client.end.maxMessageBytes).toBe(0);
  });

  const round = {
    type: 'committed',
    runId: 'r',
    generation: 1,
    round: 0,
    computeMs: 1,
    exchangeMs: 1,
    bytesSent: 0,
  };

  it('passes rounds that came in one message on one by one, and refuses more than may come in one', () => {
    const client = new Client(pool).say(hello);
    const before = events.length;
    client.say({ type: 'several', messages: [0, 1, 2].map((number) => ({ ...round, round: number })) });
    const told = events.slice(before).map((event) => event.type === 'message' && event.message);
    expect(told).toEqual([0, 1, 2].map((number) => ({ ...round, round: number })));
    client.say({ type: 'several', messages: Array.from({ length: MAX_SEVERAL + 1 }, () => round) });
    client.say({ type: 'several', messages: [{ type: 'leaving', reason: 'no round' }] });
    expect(events.length).toBe(before + 3);
    expect(pool.counters.malformedMessages).toBe(2);
  });

  it('counts each round that came in one message as a message', () => {
    makePool({ messageRate: { perSecond: 1, burst: 10 } });
    const client = new Client(pool).say(hello);
    const several = { type: 'several', messages: Array.from({ length: 4 }, () => round) };
    const before = events.length;
    client.say(several).say(several);
    expect(client.refusal).toBeUndefined();
    client.say(several);
    expect(client.refusal).toMatchObject({ message: 'Too many control messages a second.' });
    expect(events.slice(before).filter(({ type }) => type === 'message')).toHaveLength(8);
  });

  it('takes a thirty-second of the bytes from who works for no run', () => {
    const text = JSON.stringify({ ...round, payload: ['x'.repeat(40_000)] });
    makePool({ byteRate: { perSecond: 1, burst: 32 * 60_000 } });
    const idle = new Client(pool).say(hello);
    idle.say(text);
    expect(idle.refusal).toBeUndefined();
    idle.say(text);
    expect(idle.refusal).toMatchObject({ message: 'Too many bytes a second.' });
    const member = new Client(pool).say(hello);
    pool.claim(member.welcome.workerId, 'run');
    for (let i = 0; i < 40; i += 1) member.say(text);
    expect(member.refusal).toBeUndefined();
  });

  it('accepts a long message of a kind that may be long', () => {
    const client = new Client(pool).say(hello);
    client.say({ ...round, payload: [Array.from({ length: 100_000 }, () => 1)] });
    expect(events.at(-1)).toMatchObject({ type: 'message', message: { type: 'committed', round: 0 } });
    expect(pool.counters.malformedMessages).toBe(0);
  });

  it.each([
    [
      'of a kind that is short',
      { type: 'loading', runId: 'r', generation: 1, rowsLoaded: 1, rowsTotal: 1, filler: 'x'.repeat(5_000) },
      /^A message "loading" may have 4096 characters, this one has 5\d\d\d\.$/,
    ],
    [
      'of a short kind, far too long',
      { type: 'leaving', reason: 'x'.repeat(70_000) },
      /^A message "leaving" may have 8192 characters, this one has 700\d\d\.$/,
    ],
    [
      'that hides its kind behind other fields',
      { filler: 'x'.repeat(70_000), ...round },
      'A control message of more than 65536 characters must begin with its type.',
    ],
    [
      'that is nested deep',
      `{"type":"committed","payload":${'['.repeat(5_000_000)}`,
      'Arrays and objects may be nested 16 deep, these are deeper.',
    ],
    [
      'with very many metrics',
      { ...round, metrics: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`m${i}`, 1])) },
      'An object may have 1024 keys, one has more.',
    ],
  ])('does not accept a message %s', (_, message, why) => {
    const said: string[] = [];
    makePool({ log: (entry) => void said.push(entry.message) });
    const client = new Client(pool).say(hello);
    pool.claim(client.welcome.workerId, 'run');
    const before = events.length;
    client.say(message);
    expect(said.at(-1)?.replace(/^.*sent a malformed message: /, '')).toMatch(why);
    expect([events.length - before, pool.counters.malformedMessages]).toEqual([0, 1]);
  });

  it('lets a worker change what all see of it now and then, not all the time', () => {
    const client = new Client(pool).say(hello);
    const { workerId } = client.welcome;
    const isBack = { type: 'available', peerId: workerId };
    for (let i = 0; i < 15; i += 1) client.say({ type: 'leaving', reason: 'paused' }).say(isBack);
    expect(client.refusal).toBeUndefined();
    const before = events.length;
    // What changes nothing is free.
    for (let i = 0; i < 100; i += 1) client.say(isBack);
    expect([events.length, client.refusal]).toEqual([before, undefined]);
    clock.advance(1_000);
    client.say({ type: 'leaving', reason: 'paused' });
    for (let i = 0; i < 100; i += 1) client.say({ type: 'leaving', reason: 'paused' });
    expect(pool.worker(workerId)?.leaving).toBe('paused');
    client.say(isBack);
    expect(client.refusal).toMatchObject({ code: 'RATE_LIMITED', message: 'Too many changes a second.' });
    expect(losses()).toHaveLength(1);
  });

  it('puts off a worker that opens one socket after the other', () => {
    const { workerId, secret } = new Client(pool).say(hello).welcome;
    const again = (): Client => new Client(pool).say({ ...hello, identity: { workerId, secret } });
    const sockets = Array.from({ length: 31 }, again);
    expect(sockets[29]?.welcome.workerId).toBe(workerId);
    expect([sockets[30]?.refusal, sockets[30]?.closed]).toEqual([
      undefined,
      { code: 1013, reason: 'this worker opens too many sockets' },
    ]);
    clock.advance(1_000);
    expect(again().welcome.workerId).toBe(workerId);
  });

  it('refuses the workers of one address above its share, and takes others', () => {
    makePool({ maxWorkersPerAddress: 2 });
    const first = new Client(pool).say(hello);
    new Client(pool).say(hello);
    expect(new Client(pool).say(hello).refusal?.code).toBe('ADDRESS_FULL');
    expect(new Client(pool, '192.0.2.8').say(hello).welcome.workerId).toBeTruthy();
    first.end.closed(1000, '');
    expect(new Client(pool).say(hello).welcome.workerId).toBeTruthy();
  });

  it('keeps the place of a worker that is away, and none for who only knocked', () => {
    makePool({ maxWorkers: 1, joinTokens: () => ['secret'] });
    for (let i = 0; i < 3; i += 1) new Client(pool).say(hello);
    const client = new Client(pool).say({ ...hello, token: 'secret' });
    client.end.closed(1006, '');
    expect(new Client(pool).say({ ...hello, token: 'secret' }).refusal?.code).toBe('POOL_FULL');
    clock.advance(10_000);
    expect(new Client(pool).say({ ...hello, token: 'secret' }).welcome.workerId).toBeTruthy();
  });

  it('puts off workers that join too fast, so that they try again', () => {
    makePool({ joinRate: { perSecond: 1, burst: 1 } });
    new Client(pool).say(hello);
    const second = new Client(pool).say(hello);
    expect([second.refusal, second.closed]).toEqual([
      undefined,
      { code: 1013, reason: 'workers join too fast from this address' },
    ]);
    clock.advance(1_000);
    expect(new Client(pool).say(hello).welcome.workerId).toBeTruthy();
  });

  it('gives no further answers to a worker that does not read them', () => {
    const client = new Client(pool).say(hello);
    const { workerId } = client.welcome;
    const release = { type: 'release', runId: 'r', reason: 'over' } as const;
    const releases = (): number => client.received.filter((one) => one.type === 'release').length;
    pool.answer(workerId, release);
    client.unreadBytes = 1024 * 1024;
    pool.answer(workerId, release);
    expect(releases()).toBe(1);
    client.unreadBytes = 1000;
    pool.answer(workerId, release);
    expect(releases()).toBe(2);
  });

  it('drops the worker that leaves most unread, when all together leave too much', () => {
    const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) =>
      new Client(pool, address).say(hello),
    );
    const [small, large, last] = clients as [Client, Client, Client];
    for (const [client, mebibytes] of [
      [small, 150],
      [large, 200],
      [last, 170],
    ] as const) {
      client.unreadBytes = mebibytes * 1024 * 1024;
      pool.send(client.welcome.workerId, { type: 'ping', at: 0 });
    }
    expect(clients.map((client) => client.wasTerminated)).toEqual([false, true, false]);
  });

  it('counts messages that a run finds malformed, and drops who goes on', () => {
    const client = new Client(pool).say(hello);
    const { workerId } = client.welcome;
    for (let i = 0; i < 20; i += 1) pool.countMalformed(workerId, 'committed: round 7 of 5');
    expect(client.closed).toBeUndefined();
    pool.countMalformed(workerId, 'committed: round 7 of 5');
    expect(client.refusal).toMatchObject({ code: 'BAD_REQUEST', message: 'committed: round 7 of 5' });
    expect(losses()).toHaveLength(1);
    pool.countMalformed(workerId, 'late');
    expect(pool.counters.malformedMessages).toBe(21);
  });
});
