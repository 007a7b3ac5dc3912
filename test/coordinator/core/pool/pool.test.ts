import { MAX_SEVERAL, PROTOCOL_VERSION } from '../../../../shared/protocol/control.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionEvents } from '../../../../coordinator/core/pool/controlConnection.ts';
import { Pool } from '../../../../coordinator/core/pool/pool.ts';
import { shareRun } from '../../../../coordinator/core/pool/shareRun.ts';
import type { PoolOptions } from '../../../../coordinator/core/pool/poolOptions.ts';
import type { PoolEvent } from '../../../../coordinator/core/pool/poolWorker.ts';
import type { CoordinatorMessage, CoordinatorMessageOf } from '../../../../shared/protocol/control.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 2,
};

/** The worker's end of a connection. */
class Client {
  readonly received: CoordinatorMessage[] = [];
  pings = 0;
  answersPings = true;
  closed: { code: number; reason: string } | undefined;
  wasTerminated = false;
  readonly end: ConnectionEvents;

  /** What the worker has not taken of what was sent. */
  unreadBytes = 0;

  constructor(pool: Pool, remoteAddress = '192.0.2.7') {
    const unreadBytes = (): number => this.unreadBytes;
    this.end = pool.attach({
      remoteAddress,
      get bufferedBytes() {
        return unreadBytes();
      },
      send: (text) => void this.received.push(JSON.parse(text) as CoordinatorMessage),
      ping: () => {
        this.pings += 1;
        if (this.answersPings) this.end.pong();
      },
      close: (code, reason) => void (this.closed = { code, reason }),
      terminate: () => void (this.wasTerminated = true),
    });
  }

  say(message: unknown): this {
    this.end.message(typeof message === 'string' ? message : JSON.stringify(message));
    return this;
  }

  get welcome(): CoordinatorMessageOf<'welcome'> {
    const message = this.received.find((one) => one.type === 'welcome');
    if (message?.type !== 'welcome') throw new Error(`no welcome, but ${JSON.stringify(this.received)}`);
    return message;
  }

  get refusal(): CoordinatorMessageOf<'refused'> | undefined {
    return this.received.find((one) => one.type === 'refused');
  }
}

describe('Pool', () => {
  let clock: ManualClock;
  let pool: Pool;
  let events: PoolEvent[];

  function makePool(options: Partial<PoolOptions> = {}): void {
    pool = new Pool({
      clock,
      log: () => undefined,
      peerServer: { path: '/peerjs', key: 'k' },
      iceServers: () => [],
      pingIntervalMs: 1_000,
      graceMs: 10_000,
      ...options,
    });
    events = [];
    pool.on((event) => events.push(event));
  }

  beforeEach(() => {
    clock = new ManualClock();
    makePool();
  });

  const losses = (): string[] => events.flatMap((event) => (event.type === 'lost' ? [event.reason] : []));

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

  it('refuses a worker too many', () => {
    makePool({ maxWorkers: 1 });
    new Client(pool).say(hello);
    expect(new Client(pool).say(hello).refusal?.code).toBe('POOL_FULL');
  });

  it('refuses a hello that is far too long', () => {
    expect(new Client(pool).say({ ...hello, filler: 'x'.repeat(70_000) }).refusal?.code).toBe('RATE_LIMITED');
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

  describe('strangers and the owner', () => {
    const available = (client: Client): string => {
      const { workerId } = client.welcome;
      client.say({ type: 'available', peerId: workerId });
      return workerId;
    };
    const logged: string[] = [];
    let stranger: string;
    let own: string;
    let client: Client;

    beforeEach(() => {
      logged.length = 0;
      makePool({
        isOwners: ({ joinToken }) => joinToken === 'local',
        joinTokens: () => ['join', 'local'],
        log: ({ level, message }) => level !== 'info' && logged.push(`${level} ${message}`),
      });
      client = new Client(pool).say({ ...hello, token: 'join' });
      stranger = available(client);
      own = available(new Client(pool).say({ ...hello, token: 'local' }));
      events.length = 0;
    });

    it('are told apart by the token, and checks count for strangers alone', () => {
      expect(pool.workers()).toMatchObject([
        { isOwners: false, checksPassed: 0 },
        { isOwners: true, checksPassed: 0 },
      ]);
      pool.passCheck(stranger);
      pool.passCheck(stranger, 8);
      pool.passCheck(own, 20);
      pool.passCheck('w-gone', 3);
      expect(pool.workers().map(({ checksPassed }) => checksPassed)).toEqual([9, 0]);
      // Everybody looks at the pool at a change: the tenth check makes a worker proven, and those before nothing.
      expect(events).toEqual([]);
      pool.passCheck(stranger);
      expect(events).toMatchObject([{ type: 'changed', worker: { workerId: stranger, checksPassed: 10 } }]);
      pool.passCheck(stranger, 100);
      expect(events).toHaveLength(1);
    });

    it('keep their checks when they come back', () => {
      pool.passCheck(stranger, 12);
      const { workerId, secret } = client.welcome;
      const identity = { workerId, secret };
      new Client(pool).say({ ...hello, token: 'join', identity, life: 'another' });
      expect(pool.worker(stranger)).toMatchObject({ checksPassed: 12, isOwners: false });
    });

    it('a stranger that lied is sent away, told why, and kept out until it is pardoned', async () => {
      pool.passCheck(stranger, 12);
      pool.convict(stranger, { what: 'another sum', runId: 'r', round: 7 });
      const reason = 'another sum (run r, round 7)';
      expect([pool.worker(stranger), losses()]).toEqual([undefined, [`sent away: ${reason}`]]);
      expect(client.received.at(-1)).toEqual({ type: 'shutdown', reconnect: false, reason });
      expect(logged).toEqual([`warn Worker ${stranger} lied, and is banned: ${reason}`]);
      const { workerId, secret } = client.welcome;
      const again = { ...hello, token: 'join', identity: { workerId, secret }, life: 'another' };
      expect(new Client(pool).say(again).refusal).toMatchObject({ code: 'WORKER_REMOVED', message: reason });
      expect(await pool.pardon(stranger)).toMatchObject([{ workerId: stranger }]);
      expect(new Client(pool).say(again).welcome.workerId).toBe(stranger);
      expect(pool.worker(stranger)?.checksPassed).toBe(0);
    });

    it('a stranger that went before its lie was found does not come back', () => {
      client.end.closed(1001, '');
      pool.convict(stranger, { what: 'x' });
      const { workerId, secret } = client.welcome;
      const again = { ...hello, token: 'join', identity: { workerId, secret }, life: 'another' };
      expect(new Client(pool).say(again).refusal).toMatchObject({ code: 'WORKER_REMOVED', message: 'x' });
    });

    it("evidence against the owner's worker is a defect: it stays, and the log says so", () => {
      pool.convict(own, { what: 'another sum' });
      expect(pool.worker(own)).toMatchObject({ present: true, isOwners: true });
      expect(logged).toEqual([
        `error A defect: there is evidence against the owner's own worker ${own}, which is believed: another sum`,
      ]);
      pool.remove(({ workerId }) => workerId === own, 'gone');
      pool.convict(own, { what: 'another sum' });
      expect(logged.slice(-1)).toEqual(logged.slice(0, 1));
    });
  });
});
