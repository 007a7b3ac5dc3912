import { describe, expect, it } from 'vitest';
import { configDifferences, configRows } from '../../../../client/page/run/configRows.ts';

describe('What was asked for', () => {
  it('is a row a value, by its path', () => {
    expect(
      configRows({
        name: 'x',
        spec: { eta: 0.3, list: [1, 2], none: null, empty: {} },
        long: [{ a: 'y'.repeat(90) }],
      }),
    ).toEqual([
      { path: 'name', value: 'x' },
      { path: 'spec.eta', value: '0.3' },
      { path: 'spec.list', value: '[1,2]' },
      { path: 'spec.none', value: 'null' },
      { path: 'spec.empty', value: '{}' },
      { path: 'long.0.a', value: 'y'.repeat(90) },
    ]);
  });

  it('is told where runs differ, and which of them stands out', () => {
    expect(
      configDifferences([
        { runId: '1', spec: { eta: 0.3, depth: 6 } },
        { runId: '2', spec: { eta: 0.1, depth: 6 } },
        { runId: '3', spec: { eta: 0.3, depth: 6, seed: 4 } },
      ]),
    ).toEqual([
      { path: 'spec.eta', values: ['0.3', '0.1', '0.3'], stands: [false, true, false] },
      { path: 'spec.seed', values: [undefined, undefined, '4'], stands: [false, false, true] },
    ]);
  });
});
