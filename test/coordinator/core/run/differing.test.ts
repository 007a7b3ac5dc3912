// Members that came to other results because one of them sent them something else, and those who only say so.

import { describe, expect, it } from 'vitest';
import { afterGather } from './heardRow.ts';
import { Bench, makeWorker } from './runBench.ts';

/** A group from which members may go, and whose members have worked alike before. */
function group(...workerIds: string[]): Bench {
  const bench = new Bench({ workers: { min: 1, max: workerIds.length } }).training(...workerIds);
  bench.state = { ...bench.state, worked: new Map(workerIds.map((id) => [id, 10])) };
  return bench;
}

/**
 * All answer the halt after round 0, with a letter for what they heard of each rank.
 * @param trees of members that came to other ones.
 */
function allHalted(bench: Bench, heard: Record<string, string>, trees: Record<string, string> = {}): void {
  for (const [workerId, letters] of Object.entries(heard))
    bench.halted(workerId, 1, 0, trees[workerId] ?? 'tree', [afterGather(9, letters)]);
}

const reasons = (bench: Bench): unknown[] =>
  [...bench.state.setAside].map(([workerId, { until, accuser }]) => [workerId, until, accuser]);

describe('a member that was sent something else than the others', () => {
  it('is not taken for a liar: it and the sender are parted, not for good, and the round stands', () => {
    const bench = group('a', 'b', 'c', 'd');
    bench.says('d', 0, { tree: 'other 0' });
    for (const workerId of ['a', 'b', 'c']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxxx', b: 'xxxx', c: 'xxxx', d: 'xxyx' }, { d: 'other' });
    // The newer of the two.
    expect(reasons(bench)).toEqual([['d', 'forgiven', 'c']]);
    expect(bench.group).toEqual(['a', 'b', 'c']);
    expect(bench.state.record).toHaveLength(1);
  });

  it('comes back when the sender does the same to another, which has to go then', () => {
    const bench = group('a', 'b', 'c', 'd');
    bench.says('d', 0, { tree: 'other 0' });
    for (const workerId of ['a', 'b', 'c']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxxx', b: 'xxxx', c: 'xxxx', d: 'yxxx' }, { d: 'other' });
    expect(reasons(bench)).toEqual([['d', 'forgiven', 'a']]);
    bench.ready('a', 'b', 'c');
    bench.says('c', 1, { tree: 'other 1' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 1);
    for (const [workerId, letters] of [
      ['a', 'xxx'],
      ['b', 'xxx'],
      ['c', 'yxx'],
    ] as const)
      bench.halted(workerId, 2, 2, 'tree', [afterGather(9, letters)]);
    expect(reasons(bench)).toEqual([['a', 'forgiven', 'c']]);
    expect(bench.group).toContain('b');
    expect(bench.group).toContain('c');
  });

  it('is not what two say who name a gather that nobody else knows: who differed is expelled', () => {
    const bench = group('a', 'b', 'c', 'd', 'e');
    bench.says('e', 0, { tree: 'other 0' });
    for (const workerId of ['a', 'b', 'c', 'd']) bench.committed(workerId, 0);
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 1, 0, 'tree', [afterGather(9, 'xxxxx')]);
    bench.halted('d', 1, 0, 'tree', [afterGather(20, 'yxxxx')]);
    bench.halted('e', 1, 0, 'other', [afterGather(20, 'zxxxx')]);
    expect(reasons(bench)).toEqual([['e', 'never', undefined]]);
    expect(bench.group).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes the round anew from the record, though it has committed another', () => {
    const bench = group('a', 'b', 'c', 'd');
    bench.says('b', 0, { tree: 'other 0' });
    for (const workerId of ['a', 'c', 'd']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxxx', b: 'xxxy', c: 'xxxx', d: 'xxxx' }, { b: 'other' });
    expect(reasons(bench)).toEqual([['d', 'forgiven', 'b']]);
    const agreed = bench.state.members.map(({ workerId, agreedRounds }) => [workerId, agreedRounds]);
    expect(agreed).toEqual([
      ['a', 1],
      ['b', 0],
      ['c', 1],
    ]);
  });

  it('stays where nobody can be spared', () => {
    const bench = new Bench({ workers: { min: 3, max: 3 } }).training('a', 'b', 'c');
    bench.says('c', 0, { tree: 'other 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxx', b: 'xxx', c: 'yxx' }, { c: 'other' });
    expect(reasons(bench)).toEqual([]);
    expect(bench.state).toMatchObject({ phase: 'loading', generation: 2 });
  });
});

describe('a member that sent different things', () => {
  it('to half of the group is expelled, and none of those it misled', () => {
    const bench = group('a', 'b', 'c', 'd');
    for (const workerId of ['c', 'd']) bench.says(workerId, 0, { tree: 'other 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxxx', b: 'xxxx', c: 'xyxx', d: 'xyxx' }, { c: 'other', d: 'other' });
    expect(reasons(bench)).toEqual([['b', 'never', undefined]]);
    expect(bench.group).toEqual(['a', 'c', 'd']);
    expect(bench.state.disputes.total).toBe(0);
  });

  it('before the round had an end is found as well, whoever was accused meanwhile', () => {
    const bench = group('a', 'b', 'c', 'd');
    // c's tree went another way in the middle of the round, so that nobody can read what it sends.
    bench.message('b', {
      type: 'stalled',
      missing: ['c'],
      code: 'PEER_MESSAGE_INVALID',
      message: 'Worker c sent what can not be',
    });
    for (const workerId of bench.group)
      bench.halted(workerId, 0, 0, 'tree', [afterGather(2, workerId === 'c' ? 'yxxx' : 'xxxx')]);
    expect(reasons(bench)).toEqual([['c', 'forgiven', 'a']]);
    expect(bench.state.fruitless.generations).toBe(0);
  });
});

describe('a member that differs from most', () => {
  it('and heard the same as they did is expelled', () => {
    const bench = group('a', 'b', 'c');
    bench.says('c', 0, { tree: 'forged 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxx', b: 'xxx', c: 'xxx' }, { c: 'forged' });
    expect(reasons(bench)).toEqual([['c', 'never', undefined]]);
  });

  it('and says nothing of what it heard is expelled', () => {
    const bench = group('a', 'b', 'c');
    bench.says('c', 0, { tree: 'forged 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxx', b: 'xxx' });
    bench.halted('c', 1, 0, 'forged');
    expect(reasons(bench)).toEqual([['c', 'never', undefined]]);
  });

  it('and is lost before it answers is expelled', () => {
    const bench = group('a', 'b', 'c');
    bench.says('c', 0, { tree: 'forged 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c', { present: false }));
    allHalted(bench, { a: 'xxx', b: 'xxx' });
    expect(reasons(bench)).toEqual([['c', 'never', undefined]]);
  });

  it('and puts it on one member after the other goes for it', () => {
    const bench = group('a', 'b', 'c', 'd', 'e');
    /** The first member forges a round, and says that it heard these. */
    const lie = (letters: string, round: number): void => {
      const others = bench.group.slice(1);
      bench.says('a', round, { tree: `forged ${round}` });
      for (const workerId of others) bench.committed(workerId, round);
      bench.halted('a', round + 1, round, 'forged', [afterGather(9, letters)]);
      for (const workerId of others)
        bench.halted(workerId, round + 1, round, 'tree', [afterGather(9, 'x'.repeat(letters.length))]);
    };
    lie('xyxxx', 0);
    expect(reasons(bench)).toEqual([['b', 'forgiven', 'a']]);
    bench.ready(...bench.group);
    lie('xyxx', 1);
    // The first whom it put it on may come back.
    expect(reasons(bench)).toEqual([['a', 'forgiven', 'c']]);
  });

  it('or says that it heard of another group than there is, is expelled', () => {
    const bench = group('a', 'b', 'c');
    bench.says('c', 0, { tree: 'forged 0' });
    for (const workerId of ['a', 'b']) bench.committed(workerId, 0);
    allHalted(bench, { a: 'xxx', b: 'xxx', c: 'xxxx' }, { c: 'forged' });
    expect(reasons(bench)).toEqual([['c', 'never', undefined]]);
  });
});
