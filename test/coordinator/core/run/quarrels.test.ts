// Which of two goes that have only each other's word against them.

import { describe, expect, it } from 'vitest';
import { pickOfQuarrel } from '../../../../coordinator/core/run/quarrels.ts';
import { Turn } from '../../../../coordinator/core/run/turn.ts';
import { Bench } from './runBench.ts';

/** A turn in a group of these, the oldest first, which have worked for so many rounds. */
function turnOf(worked: Readonly<Record<string, number>>, rounds = 100): Turn {
  const ids = Object.keys(worked);
  const bench = new Bench({ workers: { min: 1, max: ids.length } }).training(...ids);
  const record = Array.from({ length: rounds }, (_, round) => ({ round, payload: [], metrics: {} }));
  return new Turn(bench.plan, { ...bench.state, record, worked: new Map(Object.entries(worked)) }, 0);
}

describe('of two', () => {
  it('the newer goes, and the one that has worked less', () => {
    expect(pickOfQuarrel(turnOf({ a: 100, b: 100, c: 100 }), [['a', 'c']])).toEqual({
      workerId: 'c',
      accuser: 'a',
    });
    expect(pickOfQuarrel(turnOf({ a: 50, b: 100, c: 100 }), [['c', 'a']])).toEqual({
      workerId: 'a',
      accuser: 'c',
    });
  });

  it('the one goes that had a quarrel with more others that are there and have worked', () => {
    const turn = turnOf({ m: 100, a: 100, b: 100 });
    expect(pickOfQuarrel(turn, [['m', 'b']])).toMatchObject({ workerId: 'b' });
    expect(pickOfQuarrel(turn, [['m', 'b']])).toMatchObject({ workerId: 'b' });
    expect(pickOfQuarrel(turn, [['m', 'a']])).toMatchObject({ workerId: 'm', accuser: 'a' });
    turn.set({ workers: new Map([...turn.state.workers].filter(([id]) => id !== 'b')) });
    expect(pickOfQuarrel(turn, [['m', 'a']])).toMatchObject({ workerId: 'a' });
  });

  it('an old one does not go for new names, unless they are a groupful', () => {
    const turn = turnOf({ v: 100, a: 100, m1: 0, m2: 0, m3: 0, m4: 0 });
    for (const name of ['m1', 'm2', 'm3'])
      expect(pickOfQuarrel(turn, [[name, 'v']])).toMatchObject({ workerId: name });
    turn.set({ groupSize: 4 });
    expect(pickOfQuarrel(turn, [['m4', 'v']])).toMatchObject({ workerId: 'm4' });
    expect(pickOfQuarrel(turn, [['a', 'v']])).toMatchObject({ workerId: 'v' });
  });

  it('none goes where nobody said anything', () => {
    expect(pickOfQuarrel(turnOf({ a: 1, b: 1 }), [])).toBeUndefined();
  });

  it('so many opponents are remembered and no more, the last ones', () => {
    const turn = turnOf({ m: 1, a: 1 });
    for (let i = 0; i < 1_000; i += 1) pickOfQuarrel(turn, [['m', `v${i}`]]);
    const opponents = [...(turn.state.suspects.get('m') ?? [])];
    expect([opponents.length, opponents.at(-1)]).toEqual([64, 'v999']);
  });
});
