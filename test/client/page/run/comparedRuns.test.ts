import { describe, expect, it } from 'vitest';
import { metricColumns, sortedBy, type ComparedRun } from '../../../../client/page/run/comparedRuns.ts';

const run = (name: string, last?: number, lowest?: number): ComparedRun => ({
  runId: name,
  name,
  status: 'finished',
  rounds: 1,
  tookMs: 1,
  curve: (metric) => {
    if (metric !== 'rmse' || last === undefined || lowest === undefined) return undefined;
    return {
      last: { at: 9, value: last },
      lowest: { at: 5, value: lowest },
      highest: { at: 1, value: 99 },
    };
  },
});

describe('Compared runs', () => {
  const runs = [run('b', 3, 1), run('none'), run('a', 2, 1.5)];
  const [last, best] = metricColumns(['rmse']);

  it('are sorted by last or best values, those without one last either way', () => {
    const names = (column: typeof last, isDescending: boolean) =>
      sortedBy(runs, column!, isDescending).map(({ name }) => name);
    expect(names(last, false)).toEqual(['a', 'b', 'none']);
    expect(names(last, true)).toEqual(['b', 'a', 'none']);
    expect(names(best, false)).toEqual(['b', 'a', 'none']);
    expect(best!.at?.(runs[0]!)).toBe(5);
  });

  it('are sorted by their names too', () => {
    expect(sortedBy(runs, { value: ({ name }) => name }, false).map(({ name }) => name)).toEqual([
      'a',
      'b',
      'none',
    ]);
  });

  it('have columns of the first metrics alone', () => {
    expect(metricColumns(Array.from({ length: 20 }, (_, i) => `m${i}`)).length).toBe(12);
  });
});
