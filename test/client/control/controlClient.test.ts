import { finalRefusals, MAX_SEVERAL, PROTOCOL_VERSION } from '../../../shared/protocol/control.ts';
import { describe, expect, test } from 'vitest';
import { ControlClient, type ControlSocket, type Identity } from '../../../client/control/controlClient.ts';
import type { CoordinatorMessage, WorkerMessage, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { ManualClock } from '../../setup/manualClock.ts';

class FakeSocket implements ControlSocket {
  onopen: ControlSocket['onopen'] = null;
  onmessage: ControlSocket['onmessage'] = null;
  onclose: ControlSocket['onclose'] = null;
  onerror: ControlSocket['onerror'] = null;
  readonly sent: WorkerMessage[] = [];
  closedWith: number | 'none' | undefined;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as WorkerMessage);
  }
  close(code?: number): void {
    this.closedWith = code ?? 'none';
  }
  say(message: CoordinatorMessage | string): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
}

const welcome: CoordinatorMessage = {
  type: 'welcome',
  workerId: 'w1',
  secret: 's3cret',
  signallingToken: 't',
  peerServer: { path: '/peerjs', key: 'k' },
  iceServers: [],
  pingIntervalMs: 1000,
};
const committed = (round: number): WorkerMessage => ({
  type: 'committed',
  runId: 'r',
  generation: 1,
  round,
  computeMs: 1,
  exchangeMs: 0,
  bytesSent: 0,
});
const release = (runId: string): CoordinatorMessage => ({ type: 'release', runId, reason: 'over' });

function start(random = 1, identity?: Identity) {
  const sockets: FakeSocket[] = [];
  const clock = new ManualClock();
  const seen = {
    welcomes: 0,
    messages: [] as CoordinatorMessage[],
    lost: [] as { reason: string; retryInMs: number }[],
    refused: [] as string[],
    log: [] as string[],
  };
  const client = new ControlClient(
    {
      url: 'ws://host/control',
      greeting: { runtime: 'node', device: { kind: 'cpu', name: 'JavaScript' }, cores: 2, token: 't' },
      identity,
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      clock,
      random: () => random,
    },
    {
      onWelcome: () => void seen.welcomes++,
      onMessage: (message) => void seen.messages.push(message),
      onLost: (reason, retryInMs) => void seen.lost.push({ reason, retryInMs }),
      onRefused: (error) => void seen.refused.push(`${error.code} ${error.message}`),
      log: (line) => void seen.log.push(line),
    },
  );
  const join = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    socket.onopen?.();
    socket.say(welcome);
    return socket;
  };
  return { client, clock, sockets, seen, join };
}

describe('ControlClient', () => {
  test('says hello without an identity first, and with the one it was given after a lost socket', () => {
    const { clock, sockets, join, seen } = start();
    const first = join();
    expect(first.sent[0]).toMatchObject({ type: 'hello', protocol: PROTOCOL_VERSION, token: 't', cores: 2 });
    expect(first.sent[0]).not.toHaveProperty('identity');
    first.onclose?.({ code: 1006, reason: '' });
    expect(seen.lost).toEqual([{ reason: 'the connection broke off', retryInMs: 250 }]);
    clock.advance(250);
    expect(sockets).toHaveLength(2);
    const second = join();
    expect(second.sent[0]).toMatchObject({
      type: 'hello',
      identity: { workerId: 'w1', secret: 's3cret' },
    });
    expect(seen.welcomes).toBe(2);
    const lives = [first, second].map(({ sent }) => (sent[0] as WorkerMessageOf<'hello'>).life);
    expect(lives[0]).toMatch(/^[0-9a-f]{24,}$/);
    expect(lives[1]).toBe(lives[0]);
  });

  test('claims at its first hello the identity of before a reload, in a life of its own', () => {
    const identity = { workerId: 'w1', secret: 's3cret' };
    const [one, other] = [start(0.25, identity).join(), start(0.75, identity).join()];
    const hellos = [one, other].map(({ sent }) => sent[0] as WorkerMessageOf<'hello'>);
    expect(hellos.map((hello) => hello.identity)).toEqual([identity, identity]);
    expect(hellos[0]!.life).not.toBe(hellos[1]!.life);
  });

  test('learns from pings how long the way to the coordinator is', () => {
    const { client, join } = start();
    const socket = join();
    socket.say({ type: 'ping', at: 1 });
    expect(client.roundTripMs).toBeUndefined();
    socket.say({ type: 'ping', at: 2, roundTripMs: 12.5 });
    expect(client.roundTripMs).toBe(12.5);
  });

  test('doubles the wait between attempts, with jitter, up to fifteen seconds', () => {
    const waits = (random: number): number[] => {
      const { clock, sockets, seen } = start(random);
      for (let attempt = 0; attempt < 9; attempt++) {
        sockets.at(-1)?.onclose?.({ code: 1006, reason: '' });
        clock.advance(15_000);
      }
      return seen.lost.map(({ retryInMs }) => retryInMs);
    };
    expect(waits(1)).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(waits(0)).toEqual([125, 250, 500, 1000, 2000, 4000, 7500, 7500, 7500]);
  });

  test('tells of rounds that one turn commits in one message, in order and before what is said after them', async () => {
    const { client, join } = start();
    const socket = join();
    socket.sent.length = 0;
    for (const round of [0, 1, 2]) client.send(committed(round));
    expect(socket.sent).toEqual([]);
    client.send({ type: 'leaving', reason: 'done' });
    const several = { type: 'several', messages: [committed(0), committed(1), committed(2)] };
    expect(socket.sent).toEqual([several, { type: 'leaving', reason: 'done' }]);
    client.send(committed(3));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(socket.sent.slice(2)).toEqual([committed(3)]);
    for (let round = 4; round < 4 + MAX_SEVERAL + 1; round += 1) client.send(committed(round));
    void client.close('bye');
    expect(
      socket.sent.slice(3).map((message) => ('messages' in message ? message.messages.length : 1)),
    ).toEqual([MAX_SEVERAL, 1]);
  });

  test('says rounds again on the next socket that no socket took', () => {
    const { client, clock, join } = start();
    const first = join();
    client.send(committed(0));
    first.onclose?.({ code: 1006, reason: '' });
    client.send(committed(1));
    clock.advance(250);
    const second = join();
    client.send({ type: 'leaving', reason: 'done' });
    expect(second.sent.slice(1)).toEqual([
      { type: 'several', messages: [committed(0), committed(1)] },
      { type: 'leaving', reason: 'done' },
    ]);
  });

  test('keeps what it was to say while there is no socket, in order, and at most 256 messages', () => {
    const { client, clock, join } = start();
    const first = join();
    first.onclose?.({ code: 1006, reason: '' });
    for (let peer = 0; peer < 300; peer++) client.send({ type: 'available', peerId: `p${peer}` });
    clock.advance(250);
    const second = join();
    const peers = second.sent.flatMap((message) => (message.type === 'available' ? [message.peerId] : []));
    expect(peers).toEqual(Array.from({ length: 256 }, (_, index) => `p${index + 44}`));
  });

  test('takes a coordinator for dead after three silent ping intervals, and not before', () => {
    const { clock, sockets, seen, join } = start();
    const socket = join();
    clock.advance(2999);
    socket.say({ type: 'ping', at: 1 });
    clock.advance(2999);
    expect(seen.lost).toEqual([]);
    clock.advance(1);
    expect(seen.lost[0]?.reason).toBe('the coordinator fell silent');
    expect(socket.closedWith).toBe('none');
    clock.advance(250);
    expect(sockets).toHaveLength(2);
  });

  test('gives up a socket on which no welcome comes', () => {
    const { clock, seen, sockets } = start();
    sockets[0]?.onopen?.();
    clock.advance(14_999);
    expect(seen.lost).toEqual([]);
    clock.advance(1);
    expect(seen.lost[0]?.reason).toBe('the coordinator did not answer');
  });

  test('ignores malformed messages, counts them all and reports the first twenty', () => {
    const { client, seen, join } = start();
    const socket = join();
    const malformed = ['', '{', 'null', '[]', '{"type":"dance"}', '{"type":"begin","runId":"r"}', '"x"'];
    for (let round = 0; round < 10; round++) for (const text of malformed) socket.say(text);
    socket.onmessage?.({ data: new ArrayBuffer(8) });
    socket.say(release('r1'));
    expect(client.malformed).toBe(71);
    expect(seen.log).toHaveLength(20);
    expect(seen.log[5]).toContain('generation');
    expect(seen.messages).toEqual([release('r1')]);
    expect(client.joined).toBe(true);
  });

  test('joins as a new worker when its identity is not known any more, and drops what the old one had to say', () => {
    const { client, clock, sockets, join } = start();
    join().onclose?.({ code: 1006, reason: '' });
    client.send({ type: 'available', peerId: 'old' });
    clock.advance(250);
    sockets[1]?.onopen?.();
    sockets[1]?.say({ type: 'refused', code: 'UNKNOWN_WORKER', message: 'Never heard of you.' });
    clock.advance(0);
    const third = join();
    expect(third.sent).toHaveLength(1);
    expect(third.sent[0]).not.toHaveProperty('identity');
  });

  describe('waits ever longer for a coordinator', () => {
    const waits = (hangUp: (socket: FakeSocket) => void, times: number): number[] => {
      const { clock, join, seen } = start();
      for (let i = 0; i < times; i++) {
        hangUp(join());
        clock.advance(seen.lost.at(-1)?.retryInMs ?? 0);
      }
      return seen.lost.map(({ retryInMs }) => retryInMs);
    };
    const refuse = (socket: FakeSocket): void =>
      socket.say({ type: 'refused', code: 'UNKNOWN_WORKER', message: 'Never heard of you.' });

    test('that refuses it after each welcome', () => {
      expect(waits(refuse, 8)).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 15_000]);
    });

    test('that hangs up after each welcome', () => {
      const hangUp = (socket: FakeSocket): void => socket.onclose?.({ code: 1006, reason: '' });
      expect(waits(hangUp, 8)).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    });

    test('that has it open a program after each welcome, and refuses it then', () => {
      const useAndRefuse = (socket: FakeSocket): void => {
        socket.say({ type: 'openProgram', instanceId: 'i' });
        refuse(socket);
      };
      expect(waits(useAndRefuse, 8)).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 15_000]);
    });

    test('until it has made a round, or was there for long', () => {
      const { client, clock, join, seen } = start();
      for (let i = 0; i < 6; i++) {
        refuse(join());
        clock.advance(seen.lost.at(-1)?.retryInMs ?? 0);
      }
      const working = join();
      client.send({
        type: 'committed',
        runId: 'r',
        generation: 1,
        round: 0,
        computeMs: 1,
        exchangeMs: 1,
        bytesSent: 1,
      });
      working.onclose?.({ code: 1006, reason: '' });
      expect(seen.lost.at(-1)?.retryInMs).toBe(250);
      clock.advance(250);
      const long = join();
      for (let second = 0; second < 10; second++) {
        clock.advance(1000);
        long.say({ type: 'ping', at: second });
      }
      refuse(long);
      expect(seen.lost.at(-1)?.retryInMs).toBe(0);
    });
  });

  test.each(finalRefusals)('stays away for good when it is refused by %s, with its identity', (code) => {
    const { clock, sockets, seen, join } = start();
    join().onclose?.({ code: 1006, reason: '' });
    clock.advance(250);
    sockets[1]?.onopen?.();
    expect(sockets[1]?.sent[0]).toHaveProperty('identity');
    sockets[1]?.say({ type: 'refused', code, message: 'Wrong sums.' });
    expect(seen.refused).toEqual([`JOIN_REFUSED Wrong sums. (${code})`]);
    clock.advance(3_600_000);
    expect(sockets).toHaveLength(2);
  });

  test('stays away for good when it is refused without an identity', () => {
    const { clock, sockets, seen } = start();
    sockets[0]?.onopen?.();
    sockets[0]?.say({ type: 'refused', code: 'WRONG_TOKEN', message: 'The token is wrong.' });
    expect(seen.refused).toEqual(['JOIN_REFUSED The token is wrong. (WRONG_TOKEN)']);
    clock.advance(3_600_000);
    expect(sockets).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('comes back after a shutdown with reconnect, and not after one without', () => {
    const back = start();
    back.join().say({ type: 'shutdown', reconnect: true, reason: 'restart' });
    back.clock.advance(250);
    expect(back.sockets).toHaveLength(2);

    const gone = start();
    gone.join().say({ type: 'shutdown', reconnect: false, reason: 'the end' });
    gone.clock.advance(3_600_000);
    expect(gone.sockets).toHaveLength(1);
    expect(gone.sockets[0]?.closedWith).toBe(1000);
    expect(gone.seen.messages).toEqual([{ type: 'shutdown', reconnect: false, reason: 'the end' }]);
  });

  test('tries at once when the machine is back, but opens no second socket beside a first', () => {
    const { client, sockets, join } = start();
    client.retryNow();
    expect(sockets).toHaveLength(1);
    const socket = join();
    client.retryNow();
    expect(sockets).toHaveLength(1);
    socket.onclose?.({ code: 1006, reason: '' });
    client.retryNow();
    expect(sockets).toHaveLength(2);
  });

  test('says goodbye when it is closed, waits for the answer, and leaves no timer behind', async () => {
    const { client, clock, join } = start();
    const socket = join();
    const closed = client.close('done');
    await client.close('done');
    expect(socket.closedWith).toBe(1000);
    expect(socket.onmessage).toBeNull();
    socket.onclose?.({ code: 1000, reason: '' });
    await closed;
    expect(clock.pending).toBe(0);
  });

  test('waits no longer than half a second for the answer to its goodbye', async () => {
    const { client, clock, join } = start();
    join();
    const closed = client.close('done');
    clock.advance(500);
    await closed;
  });

  test.each([
    '@elsewhere.example:80',
    '//elsewhere.example',
    '/peerjs?x=',

    'peerjs',
    '/a b',
    '/\\elsewhere',
  ])('does not take %j for the path of signalling: it may lead to another host', (path) => {
    const { seen, sockets, client } = start();
    sockets[0]!.onopen?.();
    sockets[0]!.say({ ...welcome, peerServer: { path, key: 'k' } });
    expect([seen.welcomes, client.malformed]).toEqual([0, 1]);
  });
});
