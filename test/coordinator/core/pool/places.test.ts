import { beforeEach, describe, expect, it } from 'vitest';
import type { GiveBack } from '../../../../coordinator/bounds/addressShares.ts';
import { Places, type PlaceOptions } from '../../../../coordinator/core/pool/places.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

describe('Places', () => {
  let clock: ManualClock;
  beforeEach(() => void (clock = new ManualClock()));
  const places = (options: Partial<PlaceOptions> = {}): Places => new Places({ clock, ...options });
  const answers = (taken: readonly (GiveBack | { code: string })[]): string[] =>
    taken.map((one) => (typeof one === 'function' ? 'place' : one.code));

  it('gives a school behind one address its places, and not all', () => {
    const all = places();
    const taken = Array.from({ length: 257 }, () => all.take('198.51.100.7'));
    expect(answers(taken).lastIndexOf('place')).toBe(255);
    expect(taken[256]).toEqual({
      code: 'ADDRESS_FULL',
      message:
        'The coordinator takes at most 256 workers from one address (198.51.100.7); the owner can allow more with --max-workers-per-address.',
    });
    expect(answers([all.take('198.51.100.8')])).toEqual(['place']);
  });

  it('gives a place again when one was given back, once', () => {
    const all = places({ maxWorkersPerAddress: 1 });
    const place = all.take('198.51.100.7') as GiveBack;
    place();
    place();
    expect(answers([all.take('198.51.100.7'), all.take('198.51.100.7')])).toEqual(['place', 'ADDRESS_FULL']);
  });

  it('takes an IPv6 network for one address, and IPv4 for itself however it is written', () => {
    const all = places({ maxWorkersPerAddress: 2 });
    const taken = ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:db8::3', '2001:db8:0:1::1'];
    expect(answers(taken.map((address) => all.take(address)))).toEqual([
      'place',
      'place',
      'ADDRESS_FULL',
      'place',
    ]);
    const mapped = ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1'];
    expect(answers(mapped.map((address) => all.take(address)))).toEqual(['place', 'place', 'ADDRESS_FULL']);
  });

  it('counts workers of this machine in all alone', () => {
    const all = places({ maxWorkersPerAddress: 1, maxWorkers: 4, joinRate: { perSecond: 0, burst: 1 } });
    const taken = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.0.0.1', '127.0.0.1'];
    expect(answers(taken.map((address) => all.take(address)))).toEqual([
      'place',
      'place',
      'place',
      'place',
      'POOL_FULL',
    ]);
  });

  it('puts off who comes and goes too fast, and no one else', () => {
    const all = places({ joinRate: { perSecond: 2, burst: 3 } });
    const come = (address: string): string => {
      const place = all.take(address);
      if (typeof place === 'function') place();
      return answers([place])[0]!;
    };
    const churn = Array.from({ length: 5 }, () => come('198.51.100.7'));
    expect(churn).toEqual(['place', 'place', 'place', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(come('198.51.100.8')).toBe('place');
    clock.advance(500);
    expect([come('198.51.100.7'), come('198.51.100.7')]).toEqual(['place', 'RATE_LIMITED']);
  });

  it('remembers the rate of so many addresses, the latest', () => {
    const all = places({ maxWorkers: 100_000, joinRate: { perSecond: 0, burst: 1 } });
    expect(answers([all.take('first'), all.take('first')])).toEqual(['place', 'RATE_LIMITED']);
    for (let i = 0; i < 15_000; i++) all.take(`address ${i}`);
    expect(answers([all.take('first')])).toEqual(['RATE_LIMITED']);
    for (let i = 0; i < 20_000; i++) all.take(`other ${i}`);
    expect(answers([all.take('first')])).toEqual(['place']);
  });
});
