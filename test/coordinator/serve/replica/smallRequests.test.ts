import { describe, expect, it } from 'vitest';
import { SmallRequests } from '../../../../coordinator/serve/replica/smallRequests.ts';

/** A program that takes a time by the length of the body. */
function requests(
  firstMs: number,
  msOf: (bytes: number) => number,
): { readonly ask: (bytes: number) => boolean } {
  let nowMs = 0;
  const program = {
    run: (_op: unknown, [body]: readonly unknown[]): void => void (nowMs += msOf((body as string).length)),
  };
  const small = new SmallRequests(program, 50, firstMs, () => nowMs);
  return {
    ask: (bytes) => {
      const isHere = small.takes(bytes);
      if (isHere) small.run('http', ['x'.repeat(bytes)]);
      return isHere;
    },
  };
}

const taken = (ask: () => boolean, count: number): number =>
  Array.from({ length: count }, ask).filter(Boolean).length;

describe('requests that are predicted where they are read', () => {
  it('are those of which all of their size take a fifth of a millisecond at most', () => {
    const { ask } = requests(0.001, (bytes) => bytes / 50_000);
    expect(taken(() => ask(50), 100)).toBe(100);
    expect(taken(() => ask(4_000), 100)).toBe(100);
    expect(ask(17_000)).toBe(false);
  });

  it('become more when the code was compiled, found out by trying one of a few', () => {
    let speed = 1 / 10;
    const { ask } = requests(0.01, (bytes) => bytes / 60_000 / speed);
    expect(taken(() => ask(4_000), 80)).toBe(10);
    speed = 1;
    expect(taken(() => ask(4_000), 8)).toBe(1);
    expect(taken(() => ask(4_000), 100)).toBe(100);
  });

  it('become fewer when they stay slow, not when one was', () => {
    let slowness = 1;
    const { ask } = requests(0.009, () => 0.05 * slowness);
    expect(taken(() => ask(500), 20)).toBe(20);
    slowness = 100;
    expect(ask(500)).toBe(true);
    slowness = 1;
    expect(taken(() => ask(500), 20)).toBe(20);
    slowness = 100;
    expect(taken(() => ask(500), 1_000)).toBeLessThan(150);
  });

  it('are none of a model that takes long, of which ever fewer are tried', () => {
    const slow = requests(8, () => 8);
    expect(taken(() => slow.ask(50), 1_000)).toBe(0);
    const middling = requests(0.5, () => 0.5);
    const first = taken(() => middling.ask(50), 10_000);
    const later = taken(() => middling.ask(50), 10_000);
    expect(first).toBeLessThan(600);
    expect(later).toBeLessThan(first / 2);
  });
});
