import { describe, expect, it } from 'vitest';
import { parallelAxes } from '../../../../client/page/tuning/parallelAxes.ts';
import {
  bestSoFar,
  isEarly,
  keyOf,
  plainValue,
  searchedPaths,
  strengthsOf,
  type RecordedTrial,
} from '../../../../client/page/tuning/trials.ts';

function trial(number: number, lastScore?: number, change: Partial<RecordedTrial> = {}): RecordedTrial {
  return {
    number,
    status: 'finished',
    assignment: {},
    iterations: 1,
    ...(lastScore !== undefined && { lastScore }),
    ...change,
  };
}

describe('pictures of trials', () => {
  const trials = [
    trial(0, 0.5),
    trial(1),
    trial(2, 0.7, { status: 'errored' }),
    trial(3, 0.6),
    trial(4, 0.2),
  ];

  it('rank trials by their scores, whichever end is best', () => {
    expect([...strengthsOf(trials, 'max')]).toEqual([
      [4, 0],
      [0, 1 / 3],
      [3, 2 / 3],
      [2, 1],
    ]);
    expect(strengthsOf(trials, 'min').get(4)).toBe(1);
    expect([...strengthsOf([trial(7, 3)], 'max')]).toEqual([[7, 1]]);
    expect(strengthsOf([trial(7)], 'max').size).toBe(0);
  });

  it('follow the best so far over trials that did not fail, up to the last one', () => {
    expect(bestSoFar(trials, 'max')).toEqual([
      { at: 0, value: 0.5 },
      { at: 3, value: 0.6 },
      { at: 4, value: 0.6 },
    ]);
    expect(bestSoFar(trials, 'min')).toEqual([
      { at: 0, value: 0.5 },
      { at: 4, value: 0.2 },
    ]);
    expect(bestSoFar([], 'min')).toEqual([]);
  });

  it('mark as early what a scheduler stopped, and not what came to its own end', () => {
    expect(isEarly(trial(0, 1, { stopReason: 'reached maxT, 8' }))).toBe(false);
    expect(isEarly(trial(0, 1, { stopReason: 'not among the best', prunedAt: 2 }))).toBe(true);
  });

  it('name searched values as filters can', () => {
    expect(
      searchedPaths([trial(0, 1, { assignment: { a: 1 } }), trial(1, 1, { assignment: { b: 1, a: 2 } })]),
    ).toEqual(['a', 'b']);
    expect(keyOf('a b.c<d')).toBe('a_b.c_d');
    expect([1, 'x', true, null, { a: 1 }, undefined].map(plainValue)).toEqual([
      1,
      'x',
      'true',
      'null',
      '{"a":1}',
      undefined,
    ]);
  });
});

describe('parallelAxes', () => {
  const assigned = (number: number, assignment: Record<string, unknown>, score?: number): RecordedTrial =>
    trial(number, score, { assignment });
  const trials = [
    assigned(0, { 'params.eta': 0.001, depth: 2, kind: 'b', fixed: 1 }, 0.5),
    assigned(1, { 'params.eta': 0.1, depth: 4, kind: 'a', fixed: 1 }, 0.75),
    assigned(2, { 'params.eta': 10, depth: 6, fixed: 1 }),
  ];
  const axes = parallelAxes(trials, ['params.eta', 'depth', 'kind', 'fixed'], 'auc');

  it('has an axis for each value that differs, and one for the score', () => {
    expect(axes.map(({ key, title }) => [key, title])).toEqual([
      ['params.eta', 'eta'],
      ['depth', 'depth'],
      ['kind', 'kind'],
      ['score', 'auc'],
    ]);
  });

  it('places wide ranges by their logarithm, categories in order, and nothing where there is no value', () => {
    const [eta, depth, kind, score] = axes.map(({ place }) => trials.map(place));
    expect(eta).toEqual([0, expect.closeTo(0.5, 12), 1]);
    expect(depth).toEqual([0, 0.5, 1]);
    expect(kind).toEqual([1, 0, undefined]);
    expect(score).toEqual([0, 1, undefined]);
  });

  it('says what a mark on an axis means for the filter', () => {
    const [eta, depth, kind] = axes;
    expect(eta!.between(0.25, 0.5)).toEqual(['>=0.01', '<=0.1']);
    expect(depth!.between(-0.1, 0.5)).toEqual(['<=4']);
    expect(depth!.between(0.5, 1.2)).toEqual(['>=4']);
    expect(kind!.between(0.8, 1)).toEqual(['=b']);
    expect(kind!.between(0.4, 0.6)).toEqual([]);
  });

  it('shows some of very many values', () => {
    const paths = Array.from({ length: 30 }, (_, i) => `p${i}`);
    const many = [0, 1].map((value) =>
      assigned(value, Object.fromEntries(paths.map((path) => [path, value])), value),
    );
    expect(parallelAxes(many, paths, 'auc').map(({ key }) => key)).toEqual([...paths.slice(0, 11), 'score']);
    const words = Array.from({ length: 100 }, (_, i) => assigned(i, { word: `w${i}` }, i));
    const [axis] = parallelAxes(words, ['word'], 'auc');
    expect(axis!.ticks).toHaveLength(24);
    expect(axis!.place(words[50]!)).toBe(1);
  });
});
