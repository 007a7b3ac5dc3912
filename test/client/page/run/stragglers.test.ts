import { describe, expect, it } from 'vitest';
import { pacesOf, verdictOf } from '../../../../client/page/run/stragglers.ts';

const timing = (workerId: string, computeMs: number, exchangeMs: number) => ({
  workerId,
  computeMs,
  exchangeMs,
  bytesSent: 10,
});
const verdict = (...timings: ReturnType<typeof timing>[]) => verdictOf(pacesOf([{ timings }], new Map()));

describe('What workers did in the last rounds', () => {
  it('is the mean over the rounds that each of them was in, the slowest first', () => {
    const rounds = [
      { timings: [timing('gone', 1, 1), timing('a', 10, 20)] },
      { timings: [timing('a', 30, 40), timing('b', 50, 2)] },
    ];
    expect(pacesOf(rounds, new Map([['a', 500]]))).toEqual([
      { workerId: 'b', rows: undefined, computeMs: 50, exchangeMs: 2, bytesSent: 10 },
      { workerId: 'a', rows: 500, computeMs: 20, exchangeMs: 30, bytesSent: 10 },
    ]);
    expect(pacesOf([], new Map())).toEqual([]);
  });
});

describe('Who holds up the others', () => {
  it('is whoever computes much longer than half of them', () => {
    expect(verdict(timing('a', 40, 60), timing('b', 90, 10), timing('c', 45, 55))).toEqual({
      kind: 'compute',
      workerId: 'b',
      computeMs: 90,
      medianMs: 45,
      waits: 0.45,
    });
  });

  it('is the exchange where even the one that waits least exchanges most of the time', () => {
    expect(verdict(timing('a', 20, 80), timing('b', 25, 75))).toEqual({
      kind: 'exchange',
      workerId: 'b',
      share: 0.75,
    });
  });

  it('is none of workers that are alike, nor of one alone', () => {
    expect(verdict(timing('a', 80, 20), timing('b', 85, 15))).toEqual({ kind: 'balanced' });
    expect(verdict(timing('a', 0, 0), timing('b', 0, 0))).toEqual({ kind: 'balanced' });
    expect(verdict(timing('a', 80, 0))).toEqual({ kind: 'alone' });
  });
});
