import { PROTOCOL_VERSION } from '../../../shared/protocol/control.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionEvents } from '../../../coordinator/pool/controlConnection.ts';
import { Pool } from '../../../coordinator/pool/pool.ts';
import type { PoolOptions } from '../../../coordinator/pool/pool.ts';
import type { PoolEvent } from '../../../coordinator/pool/poolWorker.ts';
import type { CoordinatorMessage, CoordinatorMessageOf } from '../../../shared/protocol/control.ts';
import { ManualClock } from '../../setup/manualClock.ts';

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

  constructor(pool: Pool) {
    this.end = pool.attach({
      remoteAddress: '192.0.2.7',
      bufferedBytes: 0,
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
    expect(pool.knows(workerId, secret)).toBe(true);
    expect(pool.knows(workerId, `${secret}x`)).toBe(false);
    expect(pool.knows('nobody', secret)).toBe(false);
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
    makePool({ joinToken: 'secret' });
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
    expect(pool.worker(workerId)).toMatchObject({ present: true, session: 2, peerId: workerId, runId: 'run' });
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
    expect(client.received.filter((message) => message.type === 'ping')).toHaveLength(3);
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
    expect(pool.knowsForSignalling(workerId, signallingToken)).toBe(true);
    expect(pool.knowsForSignalling(workerId, secret)).toBe(false);
    expect(pool.knowsForSignalling(workerId, other.signallingToken)).toBe(false);
    expect(pool.knows(workerId, signallingToken)).toBe(false);
    const thief = new Client(pool).say({ ...hello, identity: { workerId, secret: signallingToken } });
    expect(thief.welcome.workerId).not.toBe(workerId);
  });

  it('knows which workers share a run', () => {
    const [a, b, c] = Array.from({ length: 3 }, () => new Client(pool).say(hello).welcome.workerId) as [
      string,
      string,
      string,
    ];
    expect(pool.shareRun(a, b)).toBe(false);
    pool.claim(a, 'one');
    pool.claim(b, 'one');
    pool.claim(c, 'other');
    expect([pool.shareRun(a, b), pool.shareRun(b, a)]).toEqual([true, true]);
    expect([pool.shareRun(a, c), pool.shareRun(a, a), pool.shareRun(a, 'nobody')]).toEqual([
      false,
      false,
      false,
    ]);
    pool.unclaim(b, 'one');
    expect(pool.shareRun(a, b)).toBe(false);
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
