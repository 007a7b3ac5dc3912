import { describe, expect, it } from 'vitest';
import { AttemptThrottle, FREE_ATTEMPTS } from '../../../../coordinator/core/pool/attemptThrottle.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

/** Long enough that nobody guesses it, and short enough that somebody may. */
const LONG = 'a-token-of-the-owner-of-it-all';
const SHORT = 'letmein';
const ADDRESS = '203.0.113.7';

function made(maxAddresses?: number) {
  const clock = new ManualClock();
  const throttle = new AttemptThrottle(clock, maxAddresses);
  let guesses = 0;
  const guess = (address = ADDRESS): string =>
    throttle.attempt(address, `guess ${guesses++}`, [LONG, SHORT]).type;
  const show = (token: string, address = ADDRESS): string =>
    throttle.attempt(address, token, [LONG, SHORT]).type;
  const retryAfterS = (): number => {
    const attempt = throttle.attempt(ADDRESS, 'again', [SHORT]);
    return attempt.type === 'throttled' ? attempt.error.retryAfterS : 0;
  };
  const guessFreely = (address?: string): void => {
    for (let nth = 0; nth < FREE_ATTEMPTS; nth++) expect(guess(address)).toBe('wrong');
  };
  return { clock, throttle, guess, show, retryAfterS, guessFreely };
}

describe('an address that shows wrong tokens', () => {
  it('may be wrong ten times, and then waits', () => {
    const { guess, guessFreely } = made();
    guessFreely();
    expect(guess()).toBe('throttled');
  });

  it('waits twice as long each further time, and a quarter of an hour at most', () => {
    const { clock, guess, retryAfterS, guessFreely } = made();
    guessFreely();
    const waits: number[] = [];
    for (let nth = 0; nth < 12; nth++) {
      waits.push(retryAfterS());
      clock.advance(waits[nth]! * 1000 - 1);
      expect(guess()).toBe('throttled');
      clock.advance(1);
      expect(guess()).toBe('wrong');
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it('does not wait longer for what it shows while it waits', () => {
    const { clock, guess, show, guessFreely } = made();
    guessFreely();
    for (let nth = 0; nth < 1_000; nth++) expect(guess()).toBe('throttled');
    clock.advance(1_000);
    expect(show(SHORT)).toBe('right');
  });

  it('lets others of its network in with a token that can not be guessed, at any time', () => {
    const { guess, show, guessFreely } = made();
    guessFreely();
    for (let nth = 0; nth < 100; nth++) {
      expect(guess()).toBe('throttled');
      expect(show(LONG)).toBe('right');
    }
  });

  it('finds no short token while it waits, even where it guesses it', () => {
    const { clock, show, guessFreely } = made();
    guessFreely();
    expect(show(SHORT)).toBe('throttled');
    clock.advance(1_000);
    expect(show(SHORT)).toBe('right');
  });

  it('is not any better off for a right token between the wrong ones', () => {
    const { throttle, show } = made();
    for (let nth = 0; nth < FREE_ATTEMPTS; nth++) {
      expect(show(LONG)).toBe('right');
      expect(throttle.attempt(ADDRESS, `guess ${nth}`, [LONG]).type).toBe('wrong');
    }
    expect(throttle.attempt(ADDRESS, 'guess', [LONG]).type).toBe('throttled');
  });

  it('is forgotten a quarter of an hour after its last wait', () => {
    const { clock, guess, guessFreely, retryAfterS } = made();
    guessFreely();
    clock.advance(1_000 + 15 * 60_000 - 1);
    expect(guess()).toBe('wrong');
    expect(retryAfterS()).toBe(2);
    clock.advance(2_000 + 15 * 60_000);
    guessFreely();
    expect(retryAfterS()).toBe(1);
  });

  it('shows nothing wrong where it shows nothing', () => {
    const { throttle, guess } = made();
    for (let nth = 0; nth < 100; nth++)
      expect(throttle.attempt(ADDRESS, undefined, [LONG])).toEqual({ type: 'missing' });
    expect(guess()).toBe('wrong');
  });

  it.each([
    ['of IPv6 stands for its network', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', 'throttled'],
    ['of IPv6 does not stand for the next network', '2001:db8:1:2::1', '2001:db8:1:3::1', 'wrong'],
    ['of IPv4 is the same on a socket of both', '203.0.113.9', '::ffff:203.0.113.9', 'throttled'],
    ['of IPv4 does not stand for its neighbour', '203.0.113.9', '203.0.113.10', 'wrong'],
  ])('%s', (_, first, second, type) => {
    const { guess, guessFreely } = made();
    guessFreely(first);
    expect(guess(second)).toBe(type);
  });

  it('is one of as many as fit: who was wrong longest ago is forgotten', () => {
    const { guess, guessFreely } = made(3);
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) guessFreely(address);
    expect(guess('10.0.0.4')).toBe('throttled');
    expect(guess('10.0.0.2')).toBe('throttled');
    expect(guess('10.0.0.1')).toBe('wrong');
  });
});
