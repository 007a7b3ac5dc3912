import { describe, expect, it } from 'vitest';
import { lentConnector } from '../../../client/runtime/lentLinks.ts';
import { lent, LentTime } from '../../../client/runtime/lentTime.ts';
import type { Link, LinkConnector } from '../../../client/transport/link.ts';
import { deferred } from '../../../shared/deferred.ts';
import { ManualClock, settled } from '../../setup/manualClock.ts';

class Device {
  readonly name = 'a device';
  readonly #clock: ManualClock;
  constructor(clock: ManualClock) {
    this.#clock = clock;
  }
  build(ms: number): Promise<string> {
    this.#clock.advance(ms);
    return Promise.resolve('built');
  }
  apply(ms: number): void {
    this.#clock.advance(ms);
  }
  fail(ms: number): never {
    this.#clock.advance(ms);
    throw new Error('broken');
  }
}

function lending(share: number, nextEvent?: () => Promise<void>) {
  const clock = new ManualClock();
  const time = new LentTime(() => share, clock, nextEvent);
  return { clock, time, device: lent(new Device(clock), time, new Set(['build'] as const)) };
}

/** Milliseconds of virtual time until it resolves. */
async function msUntil(clock: ManualClock, work: Promise<unknown>): Promise<number> {
  const start = clock.now();
  const state = { isDone: false };
  void work.then(() => (state.isDone = true));
  for (let ms = 0; ms < 60_000 && !state.isDone; ms += 5) await clock.advanceSettled(5);
  return clock.now() - start;
}

describe('a share of the time', () => {
  it.each([0.1, 0.25, 0.75, 1])('of %d is what is measured over the last seconds', async (share) => {
    const { clock, time, device } = lending(share);
    expect(time.usedShare).toBeUndefined();
    for (let i = 0; i < 120; i++) await msUntil(clock, device.build(100));
    expect(time.usedShare).toBeGreaterThan(share - 0.05);
    expect(time.usedShare).toBeLessThan(share + 0.05);
    await clock.advanceSettled(6_000);
    expect(time.usedShare).toBeLessThan(share);
    await clock.advanceSettled(6_000);
    expect(time.usedShare).toBe(0);
  });

  it.each([
    ['cut off what is no whole millisecond', (ms: number) => Math.floor(ms)],
    ['fire three milliseconds late', (ms: number) => ms + 3],
  ])('of short pieces is kept by timers that %s', async (_, fires) => {
    const clock = new ManualClock();
    const inexact = {
      now: () => clock.now(),
      after: (ms: number, callback: () => void) => clock.after(fires(ms), callback),
    };
    const time = new LentTime(() => 0.75, inexact);
    const device = lent(new Device(clock), time, new Set(['build'] as const));
    const start = clock.now();
    const pieces = 4_000;
    for (let i = 0; i < pieces; i++) {
      const state = { isDone: false };
      void device.build(2).then(() => (state.isDone = true));
      await settled();
      while (!state.isDone) await clock.advanceSettled(1);
    }
    const share = (2 * pieces) / (clock.now() - start);
    expect(Math.abs(share - 0.75)).toBeLessThan(0.02);
  });

  it.each([
    [1, 100, 0],
    [0.5, 100, 100],
    [0.25, 100, 300],
    [0.25, 5000, 2000],
  ])('of %d makes the worker rest after %d ms of work for %d ms', async (share, workMs, restMs) => {
    const { clock, device } = lending(share);
    const built = device.build(workMs);
    expect(clock.now()).toBe(workMs);
    expect(Math.abs((await msUntil(clock, built)) - restMs)).toBeLessThanOrEqual(5);
    expect(await built).toBe('built');
  });

  it('counts what does not rest itself, failures too', async () => {
    const { clock, device } = lending(0.5);
    device.apply(200);
    expect(() => device.fail(300)).toThrow('broken');
    expect(await msUntil(clock, device.build(100))).toBeGreaterThanOrEqual(600);
    expect(await msUntil(clock, device.build(100))).toBeLessThanOrEqual(105);
  });

  it('keeps what it owes beyond the longest rest, up to ten seconds', async () => {
    const { clock, device } = lending(0.25);
    device.apply(1_000_000);
    const rests: number[] = [];
    for (let piece = 0; piece < 7; piece++) rests.push(await msUntil(clock, device.build(0)));
    expect(rests.map((ms) => Math.round(ms / 100))).toEqual([20, 20, 20, 20, 20, 0, 0]);
  });

  it('counts pieces that overlap once', async () => {
    const { clock, time, device } = lending(0.5);
    const [one, two] = [time.begin(), time.begin()];
    clock.advance(100);
    one();
    clock.advance(100);
    two();
    expect(await msUntil(clock, device.build(0))).toBeLessThanOrEqual(205);
  });

  it('covers what is computed with an answer of the device, until the next event', async () => {
    let turn = deferred<void>();
    const { clock, device } = lending(0.5, () => turn.promise);
    await device.build(0);
    clock.advance(80);
    turn.resolve();
    await settled();
    turn = deferred();
    // Between events nothing is done here.
    clock.advance(10_000);
    const restMs = await msUntil(clock, device.build(20));
    expect(Math.abs(restMs - 100)).toBeLessThanOrEqual(5);
  });

  it('covers what is computed before the device goes on for longer than the event', async () => {
    let turn = deferred<void>();
    const { clock, time } = lending(0.25, () => turn.promise);
    time.watch();
    // Sums of what a message brought, then the device is given the next work.
    clock.advance(60);
    const ended = time.begin();
    turn.resolve();
    await settled();
    turn = deferred();
    clock.advance(40);
    ended();
    const restMs = await msUntil(clock, time.rest());
    expect(Math.abs(restMs - 300)).toBeLessThanOrEqual(5);
  });

  it('covers what is computed after a rest', async () => {
    let turn = deferred<void>();
    const { clock, time, device } = lending(0.5, () => turn.promise);
    device.apply(100);
    turn.resolve();
    await settled();
    turn = deferred();
    expect(Math.abs((await msUntil(clock, time.rest())) - 100)).toBeLessThanOrEqual(5);
    clock.advance(50);
    turn.resolve();
    await settled();
    expect(Math.abs((await msUntil(clock, time.rest())) - 50)).toBeLessThanOrEqual(10);
  });

  it('leaves all else of an object as it is', () => {
    const { device } = lending(0.5);
    expect(device.name).toBe('a device');
  });
});

describe('the links of a worker that lends a share of its time', () => {
  it('count what a message brings about, until the next event, and not what the device does meanwhile', async () => {
    let turn = deferred<void>();
    const { clock, time, device } = lending(0.5, () => turn.promise);
    let receive: (message: Uint8Array) => void = () => undefined;
    const link: Link = {
      peer: 'p',
      path: 'memory',
      maxMessageBytes: 1,
      stats: { bytesSent: 0, bytesReceived: 0 },
      send: () => Promise.resolve(),
      onMessage: (heard) => (receive = heard),
      closed: new Promise(() => undefined),
      close: () => undefined,
    };
    const connector = { connect: () => Promise.resolve(new Map([['p', link]])) } as unknown as LinkConnector;
    const links = await lentConnector(connector, time).connect([], { group: 'g' });
    const nextEvent = async (): Promise<void> => {
      turn.resolve();
      turn = deferred();
      await settled();
    };
    links.get('p')!.onMessage(() => {
      clock.advance(70);
      device.apply(30);
    });
    receive(Uint8Array.of(1));
    await links.get('p')!.send(Uint8Array.of(1));
    await nextEvent();
    // Between events nothing is done here.
    clock.advance(10_000);
    receive(Uint8Array.of(1));
    await nextEvent();
    const restMs = await msUntil(clock, device.build(0));
    expect(restMs).toBeGreaterThanOrEqual(200);
    expect(restMs).toBeLessThanOrEqual(205);
  });
});
