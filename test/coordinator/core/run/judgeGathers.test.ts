import { describe, expect, it } from 'vitest';
import { judgeGathers } from '../../../../coordinator/core/run/judgeGathers.ts';
import { afterGather } from './heardRow.ts';

/**
 * @param rows what each member (a, b, …, in the order of ranks) says after the third gather: a letter for what each sent. A
 *   member without one did not answer.
 */
function judged(...rows: (string | undefined)[]): {
  readonly liars: string[];
  readonly misled: string[];
  readonly quarrels: string[];
} {
  const places = rows.map((_, rank) => 'abcdefg'[rank]!);
  const heard = new Map(
    rows.flatMap((row, rank) => (row === undefined ? [] : [[places[rank]!, [afterGather(3, row)]] as const])),
  );
  const { liars, misled, quarrels } = judgeGathers(heard, places);
  return { liars: [...liars], misled: [...misled], quarrels: quarrels.map((pair) => pair.join('-')) };
}

const nothing = { liars: [], misled: [], quarrels: [] };

describe('what members heard of one another', () => {
  it('is no matter where all heard the same, whoever does not answer', () => {
    expect(judged('xxx', 'xxx', 'xxx')).toEqual(nothing);
    expect(judged('xxx', undefined, 'xxx')).toEqual(nothing);
    expect(judged('x')).toEqual(nothing);
    expect(judged(undefined, undefined, undefined)).toEqual(nothing);
  });

  it('by one other than by most is its word against the sender’s', () => {
    // c heard y of a.
    expect(judged('xxxx', 'xxxx', 'yxxx', 'xxxx')).toEqual({
      liars: [],
      misled: ['c'],
      quarrels: ['c-a'],
    });
  });

  it('by two of five other than by the others is the word of each', () => {
    expect(judged('xxxxx', 'xxxxx', 'xxxxx', 'yxxxx', 'zxxxx').quarrels).toEqual(['d-a', 'e-a']);
  });

  it('by half of the group other than the sender claims proves that the sender lies', () => {
    expect(judged('xxxx', 'xxxx', 'yxxx', 'yxxx')).toEqual({
      liars: ['a'],
      misled: ['c', 'd'],
      quarrels: [],
    });
  });

  it('by most other than the sender claims proves it too, for whomever it took the part of', () => {
    // a claims what it told c alone.
    expect(judged('yxxx', 'xxxx', 'yxxx', 'xxxx')).toMatchObject({ liars: ['a'], quarrels: [] });
  });

  it('of half of the group by one proves that this one lies', () => {
    expect(judged('xxxx', 'xxxx', 'xxxx', 'yyxx')).toEqual({ liars: ['d'], misled: ['d'], quarrels: [] });
  });

  it('proves nothing in a group of two', () => {
    expect(judged('xx', 'yx')).toEqual({ liars: [], misled: ['b'], quarrels: ['b-a'] });
  });

  it('is what most heard where the sender does not answer', () => {
    expect(judged(undefined, 'xxxx', 'yxxx', 'xxxx')).toEqual({
      liars: [],
      misled: ['c'],
      quarrels: ['c-a'],
    });
  });

  it('misleads none of two who alone tell of a gather: they may be in league', () => {
    const rows = ['xxxxx', 'xxxxx', 'xxxxx', 'xxxxx', 'xxxxx'].map((row) => [afterGather(3, row)]);
    const heard = new Map(rows.map((row, rank) => ['abcde'[rank]!, row]));
    heard.set('d', [afterGather(9, 'yxxxx')]).set('e', [afterGather(9, 'zxxxx')]);
    expect(judgeGathers(heard, ['a', 'b', 'c', 'd', 'e'])).toMatchObject({ misled: new Set() });
  });

  it('is compared after one and the same gather: members may be one apart', () => {
    const heard = new Map([
      ['a', [afterGather(4, 'zz'), afterGather(3, 'xx')]],
      ['b', [afterGather(3, 'xx'), afterGather(2, 'ww')]],
    ]);
    expect(judgeGathers(heard, ['a', 'b']).misled.size).toBe(0);
    heard.set('b', [afterGather(3, 'yx'), afterGather(2, 'ww')]);
    expect([...judgeGathers(heard, ['a', 'b']).misled]).toEqual(['b']);
  });
});

describe('what an owner’s worker heard', () => {
  const rows = (gathers: number, ...told: (string | undefined)[]) =>
    told.flatMap((row, rank) =>
      row === undefined ? [] : [['abc'[rank]!, afterGather(gathers, row)] as const],
    );
  const judge = (...told: (readonly [string, ReturnType<typeof afterGather>])[]) => {
    const heard = new Map(
      ['a', 'b', 'c'].map((id) => [id, told.filter(([one]) => one === id).map(([, row]) => row)]),
    );
    const { liars, quarrels } = judgeGathers(heard, ['a', 'b', 'c'], new Set(['a']));
    return { liars: [...liars], quarrels: quarrels.map((pair) => pair.join('-')) };
  };

  it('is what was sent: who says that it sent something else lies', () => {
    // c says that it sent x to all, and a heard y.
    expect(judge(...rows(3, 'xxy', 'xxx', 'xxx'))).toEqual({ liars: ['c'], quarrels: [] });
    expect(judge(...rows(3, 'xxx', 'yxx', 'xxx'))).toEqual({ liars: ['b'], quarrels: [] });
  });

  it('parts those of whom one lies where the sender does not say what it sent', () => {
    expect(judge(...rows(3, 'xxy', 'xxx', undefined))).toEqual({ liars: [], quarrels: ['b-c'] });
  });

  it('is nothing after the first difference: the members may be at different gathers', () => {
    const misled = [...rows(4, 'xxy', 'xxx', undefined), ...rows(5, 'pqr', 'stu', undefined)];
    expect(judge(...misled)).toEqual({ liars: [], quarrels: ['b-c'] });
  });
});
