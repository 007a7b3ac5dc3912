import { describe, expect, it } from 'vitest';
import {
  defaultLimits,
  holdsOf,
  readLimits,
  type Limits,
  type Sensed,
} from '../../../../client/page/join/limits.ts';

const calm: Sensed = {
  isOnMains: true,
  isHidden: false,
  isIdle: undefined,
  transferredBytes: 0,
  memoryBytes: 900,
};
const limits = (change: Partial<Limits>): Limits => ({ ...defaultLimits, ...change });

describe('limits of a volunteer', () => {
  it.each<[Partial<Limits>, Partial<Sensed>, string[]]>([
    [{}, { isOnMains: false, transferredBytes: 1e12 }, []],
    [{ onlyOnMains: true }, { isOnMains: false }, ['battery']],
    [{ onlyOnMains: true }, { isOnMains: true }, []],
    [{ onlyOnMains: true }, { isOnMains: undefined }, []],
    [{ schedule: 'hidden' }, {}, ['visible']],
    [{ schedule: 'hidden' }, { isHidden: true }, []],
    [{ schedule: 'idle' }, { isIdle: false }, ['busy']],
    [{ schedule: 'idle' }, { isIdle: true }, []],
    [{ dataBytes: 1000 }, { transferredBytes: 999 }, []],
    [{ dataBytes: 1000 }, { transferredBytes: 1000 }, ['data']],
    [{ memoryBytes: 900 }, {}, []],
    [{ memoryBytes: 899 }, {}, ['memory']],
    [{ memoryBytes: 1 }, { memoryBytes: undefined }, []],
    [
      { onlyOnMains: true, schedule: 'hidden', dataBytes: 1 },
      { isOnMains: false, transferredBytes: 2 },
      ['battery', 'visible', 'data'],
    ],
  ])('%j with %j hold the work up for %j', (change, sensed, holds) => {
    expect(holdsOf(limits(change), { ...calm, ...sensed })).toEqual(holds);
  });

  it('come back at the next visit', () => {
    const kept: Limits = {
      share: 0.25,
      onlyOnMains: true,
      schedule: 'hidden',
      dataBytes: 5e8,
      memoryBytes: undefined,
      keepAwake: true,
    };
    expect(readLimits(JSON.stringify(kept))).toEqual(kept);
  });

  it.each([
    null,
    '',
    '{',
    'null',
    '7',
    '[]',
    '{"share":0,"schedule":"never","dataBytes":-1,"memoryBytes":"much","onlyOnMains":1}',
    '{"share":17,"dataBytes":null}',
  ])('are the usual ones where %j was kept', (text) => {
    expect(readLimits(text)).toEqual(defaultLimits);
  });
});
