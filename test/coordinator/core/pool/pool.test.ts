// Workers that join a pool, come back, are there and go.

import { beforeEach, describe, expect, it } from 'vitest';
import { shareRun } from '../../../../coordinator/core/pool/shareRun.ts';
import type { PoolOptions } from '../../../../coordinator/core/pool/poolOptions.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { Client, hello, lossesOf, startPool, type PoolWorld } from './poolWorld.ts';

let { clock, pool, events }: PoolWorld = startPool();

function makePool(options: Partial<PoolOptions> = {}): void {
  ({ clock, pool, events } = startPool(options));
}
beforeEach(() => makePool());

const losses = (): string[] => lossesOf(events);

describe('Pool', () => {
  it('welcomes a worker, and has it ready for groups once its peer id is known', () => {
    const client = new Client(pool).say(hello);
    expect(client.welcome).toMatchObject({
      peerServer: { path: '/peerjs', key: 'k' },
      pingIntervalMs: 1_000,
    });
    const { workerId, secret } = client.welcome;
    expect(pool.worker(workerId)).toMatchObject({
      present: true,
      peerId: undefined,
      remoteAddress: '192.0.2.7',
    });
    client.say({ type: 'available', peerId: workerId });
    expect(pool.worker(workerId)?.peerId).toBe(workerId);
    expect(pool.secretsOf(workerId)).toEqual([secret]);
    expect(pool.secretsOf('nobody')).not.toContain(secret);
  });

  it.each([
    ['text that is not JSON', '{', 'A control message must be JSON.'],
    ['an unknown message', '{"type":"dance"}', /^A control message is not understood: "type": .*'hello'/],
    ['a hello with a wrong field', { ...hello, cores: -1 }, /"cores"/],
    [
      'something else than hello first',
      { type: 'available', peerId: 'p' },
      '"available" came before "hello".',
    ],
  ])('refuses %s', (_, message, why) => {
    const client = new Client(pool).say(message);
    expect(client.refusal?.code).toBe('BAD_REQUEST');
    expect(client.refusal?.message).toMatch(why);
    expect(client.closed?.code).toBe(1008);
    expect(pool.counters).toMatchObject({ malformedMessages: 1, refusedWorkers: 1 });
    expect(pool.workers()).toEqual([]);
  });

  it('refuses another protocol version', () => {
    expect(new Client(pool).say({ ...hello, protocol: PROTOCOL_VERSION + 1 }).refusal).toMatchObject({
      code: 'PROTOCOL_MISMATCH',
      message: `The coordinator speaks protocol ${PROTOCOL_VERSION}, the worker ${PROTOCOL_VERSION + 1}. Update the older of the two.`,
    });
  });

  it.each([undefined, '', 'wrong', 'secret '])('refuses the join token %j', (token) => {
    makePool({ joinTokens: () => ['secret'] });
    expect(new Client(pool).say({ ...hello, ...(token !== undefined && { token }) }).refusal?.code).toBe(
      'TOKEN_REQUIRED',
    );
    expect(new Client(pool).say({ ...hello, token: 'secret' }).welcome.workerId).toBeTruthy();
  });

  it('does not wait for ever for a hello', async () => {
    const client = new Client(pool);
    await clock.advanceSettled(9_999);
    expect(client.refusal).toBeUndefined();
    await clock.advanceSettled(1);
    expect(client.refusal?.message).toBe('No hello came in time.');
  });

  it('keeps the place of a worker whose socket is lost, for the grace period', async () => {
    const first = new Client(pool).say(hello);
    const { workerId, secret } = first.welcome;
    first.say({ type: 'available', peerId: workerId });
    expect(pool.claim(workerId, 'run')).toBe(true);
    first.end.closed(1006, '');
    expect(pool.worker(workerId)).toMatchObject({ present: false, session: 1 });
    expect(pool.send(workerId, { type: 'ping', at: 0 })).toBe(false);
    await clock.advanceSettled(9_999);
    const second = new Client(pool).say({ ...hello, identity: { workerId, secret } });
    expect(second.welcome).toMatchObject({ workerId, secret });
    expect(pool.worker(workerId)).toMatchObject({
      present: true,
      session: 2,
      peerId: workerId,
      runId: 'run',
    });
    await clock.advanceSettled(60_000);
    expect(losses()).toEqual([]);
  });

  it('loses a worker that does not come back in time; later it is a new one', async () => {
    const first = new Client(pool).say(hello);
    first.end.closed(1006, '');
    await clock.advanceSettled(10_000);
    expect(losses()).toEqual(['did not come back within 10000 ms']);
    const { workerId, secret } = first.welcome;
    expect(new Client(pool).say({ ...hello, identity: { workerId, secret } }).welcome.workerId).not.toBe(
      workerId,
    );
  });

  describe('a page that is loaded anew', () => {
    const trail = (): string[] =>
      events.map((event) => `${event.type} ${event.worker.workerId} ${event.worker.life}`);

    it('is the same worker at once, and has lost what it held', () => {
      const first = new Client(pool).say({ ...hello, name: 'Ada', life: 'first' });
      const { workerId, secret } = first.welcome;
      first.say({ type: 'available', peerId: workerId });
      pool.claim(workerId, 'run');
      first.end.closed(1001, '');
      expect(losses()).toEqual(['its page or process was closed']);
      const second = new Client(pool).say({
        ...hello,
        name: 'Ada',
        life: 'second',
        identity: { workerId, secret },
      });
      expect(second.welcome).toMatchObject({ workerId, secret });
      const now = { present: true, name: 'Ada', life: 2, runId: undefined, peerId: undefined };
      expect(pool.worker(workerId)).toMatchObject(now);
      expect(second.end.maxMessageBytes).toBe(64 * 1024);
      second.end.closed(1006, '');
      const socket = new Client(pool).say({ ...hello, life: 'second', identity: { workerId, secret } });
      expect(socket.welcome.workerId).toBe(workerId);
      expect(pool.worker(workerId)).toMatchObject({ session: 2, life: 2 });
    });

    it('begins anew thirty times and then once a second, whether its former socket is there or not', async () => {
      const { workerId, secret } = new Client(pool).say({ ...hello, life: 'life 0' }).welcome;
      const isTold = (life: string, type: string): boolean => {
        const client = new Client(pool).say({ ...hello, life, identity: { workerId, secret } });
        return client.received.some((message) => message.type === type);
      };
      for (let life = 1; life <= 30; life++) expect(isTold(`life ${life}`, 'welcome')).toBe(true);
      expect(isTold('life 31', 'welcome')).toBe(false);
      await clock.advanceSettled(1_000);
      expect(isTold('life 32', 'welcome')).toBe(true);
      expect(isTold('life 33', 'welcome')).toBe(false);
    });

    it('is lost and joins again where its former socket still looks open, and that one is sent away', () => {
      const first = new Client(pool).say({ ...hello, life: 'first' });
      const { workerId, secret } = first.welcome;
      first.say({ type: 'available', peerId: workerId });
      const free = pool.slot(workerId);
      events.length = 0;
      const second = new Client(pool).say({ ...hello, life: 'second', identity: { workerId, secret } });
      expect(trail()).toEqual([`lost ${workerId} 1`, `changed ${workerId} 2`]);
      expect(losses()).toEqual(['its page was loaded anew']);
      expect(first.received.at(-1)).toMatchObject({ type: 'shutdown', reconnect: false });
      first.say({ type: 'leaving', reason: 'of before' });
      first.end.closed(1001, '');
      expect(pool.worker(workerId)).toMatchObject({ present: true, leaving: undefined, programs: 0 });
      pool.slot(workerId);
      free();
      expect(pool.worker(workerId)?.programs).toBe(1);
      second.end.closed(1000, '');
      expect(pool.workers()).toEqual([]);
    });

    it('takes no more places than there are, and is not loaded anew without end', async () => {
      makePool({ maxWorkersPerAddress: 1, joinRate: { perSecond: 0.1, burst: 3 } });
      const { workerId, secret } = new Client(pool).say({ ...hello, life: '0' }).welcome;
      const reload = (life: number): Client =>
        new Client(pool).say({ ...hello, life: `${life}`, identity: { workerId, secret } });
      expect([1, 2].map((life) => reload(life).welcome.workerId)).toEqual([workerId, workerId]);
      const tooSoon = reload(3);
      expect([tooSoon.refusal, tooSoon.closed?.code]).toEqual([undefined, 1013]);
      await clock.advanceSettled(10_000);
      expect(reload(3).welcome.workerId).toBe(workerId);
    });
  });

  it('does not give an identity to who does not know its secret', () => {
    const { workerId } = new Client(pool).say(hello).welcome;
    const thief = new Client(pool).say({ ...hello, identity: { workerId, secret: 'guess' } });
    expect(thief.welcome.workerId).not.toBe(workerId);
    expect(pool.worker(workerId)?.session).toBe(1);
  });

  it('prefers the newer of two sockets and hears the older no more', () => {
    const first = new Client(pool).say(hello);
    const { workerId, secret } = first.welcome;
    const second = new Client(pool).say({ ...hello, identity: { workerId, secret } });
    expect(first.closed?.code).toBe(1000);
    first.say({ type: 'leaving', reason: 'an old thought' });
    first.end.closed(1000, '');
    expect(pool.worker(workerId)).toMatchObject({ present: true, leaving: undefined, session: 2 });
    second.say({ type: 'leaving', reason: 'a new one' });
    expect(pool.worker(workerId)?.leaving).toBe('a new one');
  });

  it.each([
    [1000, 'it said goodbye'],
    [1001, 'its page or process was closed'],
  ])('lets a worker that closes with code %i go at once', (code, reason) => {
    new Client(pool).say(hello).end.closed(code, '');
    expect(losses()).toEqual([reason]);
  });

  it('pings, also with messages that a page can see, and measures the round trip', async () => {
    const client = new Client(pool).say(hello);
    await clock.advanceSettled(3_000);
    expect(client.pings).toBe(3);
    const pings = client.received.filter((message) => message.type === 'ping');
    expect(pings.map(({ roundTripMs }) => roundTripMs)).toEqual([0, 0, 0]);
    expect(pool.worker(client.welcome.workerId)?.roundTripMs).toBe(0);
  });

  it('drops a socket that is silent for three intervals', async () => {
    const client = new Client(pool).say(hello);
    client.answersPings = false;
    await clock.advanceSettled(2_999);
    expect(client.wasTerminated).toBe(false);
    await clock.advanceSettled(1);
    expect(client.wasTerminated).toBe(true);
    expect(pool.worker(client.welcome.workerId)?.present).toBe(false);
    await clock.advanceSettled(10_000);
    expect(losses()).toEqual(['did not come back within 10000 ms']);
  });

  it('lets a worker be dialled under its own id alone', () => {
    const [client, other] = [new Client(pool).say(hello), new Client(pool).say(hello)];
    client.say({ type: 'available', peerId: other.welcome.workerId });
    expect(pool.worker(client.welcome.workerId)?.peerId).toBeUndefined();
    expect(pool.counters.malformedMessages).toBe(1);
    client.say({ type: 'available', peerId: client.welcome.workerId });
    expect(pool.worker(client.welcome.workerId)?.peerId).toBe(client.welcome.workerId);
  });

  it('gives each worker a token that is good for signalling alone', () => {
    const [one, other] = [new Client(pool).say(hello).welcome, new Client(pool).say(hello).welcome];
    const { workerId, secret, signallingToken } = one;
    expect(pool.keys.signallingToken(workerId)).toBe(signallingToken);
    expect(new Set([signallingToken, secret, other.signallingToken]).size).toBe(3);
    expect(pool.secretsOf(workerId)).toEqual([secret]);
    const thief = new Client(pool).say({ ...hello, identity: { workerId, secret: signallingToken } });
    expect(thief.welcome.workerId).not.toBe(workerId);
  });

  it('knows which workers share a run', () => {
    const [a, b, c] = Array.from({ length: 3 }, () => new Client(pool).say(hello).welcome.workerId) as [
      string,
      string,
      string,
    ];
    expect(shareRun(pool, a, b)).toBe(false);
    pool.claim(a, 'one');
    pool.claim(b, 'one');
    pool.claim(c, 'other');
    expect([shareRun(pool, a, b), shareRun(pool, b, a)]).toEqual([true, true]);
    for (const other of [a, c, 'nobody']) expect(shareRun(pool, a, other)).toBe(false);
    pool.unclaim(b, 'one');
    expect(shareRun(pool, a, b)).toBe(false);
  });

  it('gives a worker to one run at a time', () => {
    const { workerId } = new Client(pool).say(hello).welcome;
    expect(pool.claim(workerId, 'a')).toBe(true);
    expect(pool.claim(workerId, 'b')).toBe(false);
    pool.unclaim(workerId, 'b');
    expect(pool.worker(workerId)?.runId).toBe('a');
    pool.unclaim(workerId, 'a');
    expect(pool.claim(workerId, 'b')).toBe(true);
    expect(pool.claim('nobody', 'b')).toBe(false);
  });

  it('has a drained worker leave until it is taken back, whatever the worker says meanwhile', () => {
    const client = new Client(pool).say(hello);
    const { workerId, secret } = client.welcome;
    const available = { type: 'available', peerId: workerId };
    client.say(available);
    const leaving = (): string | undefined => pool.worker(workerId)!.leaving;
    expect(pool.drain(workerId, 'drained')).toBe(true);
    expect([leaving(), pool.seen(workerId)!.drained]).toEqual(['drained', 'drained']);
    const changes = events.length;
    client.say(available);
    pool.drain(workerId, 'drained');
    expect([leaving(), events.length]).toEqual(['drained', changes]);
    client.end.closed(1006, '');
    const again = new Client(pool).say({ ...hello, identity: { workerId, secret } });
    again.say(available);
    expect(leaving()).toBe('drained');
    // The volunteer's own wish stays when the owner takes it back, and ends by itself.
    again.say({ type: 'leaving', reason: 'paused' });
    expect(pool.drain(workerId, undefined)).toBe(true);
    expect([leaving(), pool.seen(workerId)!.drained]).toEqual(['paused', undefined]);
    pool.drain(workerId, 'drained');
    expect(leaving()).toBe('paused');
    again.say(available);
    expect(leaving()).toBe('drained');
    pool.drain(workerId, undefined);
    expect(leaving()).toBeUndefined();
    expect(pool.drain('nobody', 'drained')).toBe(false);
    pool.drain(workerId, 'drained');
    const anew = new Client(pool).say({ ...hello, life: 'second', identity: { workerId, secret } });
    anew.say(available);
    expect([pool.worker(workerId)!.life, leaving()]).toEqual([2, 'drained']);
  });

  it('sees when a worker was heard, what its sockets carried, and the links that it tells of', async () => {
    const client = new Client(pool).say(hello);
    const { workerId, secret } = client.welcome;
    client.answersPings = false;
    await clock.advanceSettled(1_500);
    const first = pool.seen(workerId)!;
    expect(first).toMatchObject({ silentMs: 1_500, receivedBytes: JSON.stringify(hello).length, links: [] });
    expect(first.sentBytes).toBe(client.received.map((message) => JSON.stringify(message)).join('').length);
    pool.claim(workerId, 'r');
    const links = [{ workerId: 'other', path: 'relay' }];
    const committed = { type: 'committed', runId: 'r', generation: 1, computeMs: 1, exchangeMs: 1 };
    client.say({ type: 'ready', runId: 'r', generation: 1, links: [...links, ...links] });
    client.say({ ...committed, round: 0, bytesSent: 300 });
    client.say({
      type: 'several',
      messages: [1, 2].map((round) => ({ ...committed, round, bytesSent: 50 })),
    });
    expect(pool.seen(workerId)).toMatchObject({ silentMs: 0, exchangedBytes: 400, links });
    const { receivedBytes } = pool.seen(workerId)!;
    client.end.closed(1006, '');
    const identified = { ...hello, identity: { workerId, secret } };
    new Client(pool).say(identified);
    expect(pool.seen(workerId)!.receivedBytes).toBe(receivedBytes + JSON.stringify(identified).length);
    pool.unclaim(workerId, 'r');
    expect(pool.seen(workerId)!.links).toEqual([]);
    expect(pool.seen('nobody')).toBeUndefined();
  });

  it('passes messages of runs on', () => {
    const client = new Client(pool).say(hello);
    const ready = { type: 'ready', runId: 'r', generation: 1, links: [] };
    client.say(ready);
    expect(events.at(-1)).toMatchObject({ type: 'message', message: ready });
  });

  it('says goodbye when it closes, and takes nobody after that', () => {
    const client = new Client(pool).say(hello);
    pool.close('enough');
    expect(client.received.at(-1)).toEqual({ type: 'shutdown', reconnect: true, reason: 'enough' });
    expect(client.closed?.code).toBe(1001);
    expect(new Client(pool).closed?.code).toBe(1013);
  });
});
