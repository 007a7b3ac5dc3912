// Members that say different things of a round, and one that says what can't be: most of them decide, nobody alone.

import { describe, expect, it } from 'vitest';
import { gbdtRun } from '../../../../coordinator/core/run/gbdtRun.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { recordedRounds } from '../../../../coordinator/core/run/runState.ts';
import type { TrainSpec } from '../../../../shared/gbdt/trainSpec.ts';
import { contentOf, treeOf, treesSha256 } from '../../../simulation/simulatedTree.ts';
import { Bench, makeWorker } from './runBench.ts';

const anyNumber = { min: 1, max: 4 };

function group(...workerIds: string[]): Bench {
  return new Bench({ workers: { min: 1, max: workerIds.length } }).training(...workerIds);
}

const lossesOf = (bench: Bench): unknown[] =>
  bench.events('workerLost').map(({ workerId, reason }) => [workerId, reason]);

describe('a member that differs from most', () => {
  it('as the first rank writes no tree: the others are asked, and it is set aside', () => {
    const bench = group('a', 'b', 'c');
    bench.says('a', 0, { tree: 'forged 0' });
    bench.committed('b', 0);
    bench.committed('c', 0);
    expect(bench.state.record).toEqual([]);
    expect(bench.sent('halt').map(({ message }) => message)).toMatchObject(
      ['a', 'b', 'c'].map(() => ({ when: 'now', knownRounds: 0 })),
    );
    bench.halted('a', 1, 0, 'forged');
    bench.halted('b', 1, 0);
    bench.halted('c', 1, 0);
    expect(bench.state.record).toEqual([{ round: 0, payload: ['tree 0'], metrics: { loss: 0 } }]);
    expect(lossesOf(bench)).toEqual([['a', 'its trees of round 0 differ from those of most members']]);
    expect(bench.group).toEqual(['b', 'c']);
    expect(bench.state.setAside.get('a')).toMatchObject({ until: 'never' });
  });

  it('writes no metrics either', () => {
    const bench = group('a', 'b', 'c');
    bench.says('a', 0, { metrics: { loss: 0, 'valid-auc': 1 } });
    bench.committed('b', 0);
    bench.committed('c', 0);
    bench.message('a', {
      type: 'halted',
      committedRounds: 1,
      rounds: [{ round: 0, payload: ['tree 0'], metrics: { loss: 0, 'valid-auc': 1 } }],
    });
    bench.halted('b', 1, 0);
    bench.halted('c', 1, 0);
    expect(bench.state.record.map(({ metrics }) => metrics)).toEqual([{ loss: 0 }]);
    expect(lossesOf(bench)).toEqual([['a', 'its metrics of round 0 differ from those of most members']]);
  });

  it('as another rank is named and set aside, and the others go on from the round', () => {
    const bench = group('a', 'b', 'c');
    bench.says('c', 0, { tree: 'forged' });
    bench.committed('a', 0);
    bench.committed('b', 0);
    expect(bench.recorded()).toHaveLength(1);
    bench.halted('a', 1);
    bench.halted('b', 1);
    bench.halted('c', 1);
    expect(lossesOf(bench)).toEqual([['c', 'its trees of round 0 differ from those of most members']]);
    expect(bench.sent('release').map(({ workerId }) => workerId)).toEqual(['c']);
    expect(bench.state.members.map(({ workerId, committedRounds }) => [workerId, committedRounds])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    // It does not come back into this run.
    bench.workers(makeWorker('a'), makeWorker('b'), makeWorker('c', { session: 2 }));
    expect(bench.state.joinAtMs).toBeUndefined();
  });

  it('is found when it tells late', () => {
    const bench = group('a', 'b', 'c');
    for (const round of [0, 1]) for (const workerId of ['a', 'b']) bench.committed(workerId, round);
    expect(bench.state.record).toHaveLength(2);
    bench.committed('c', 0);
    bench.says('c', 1, { tree: 'forged', metrics: { loss: 7 } });
    for (const workerId of ['a', 'b', 'c']) bench.halted(workerId, 2);
    expect(lossesOf(bench)).toEqual([
      ['c', 'its trees and metrics of round 1 differ from those of most members'],
    ]);
  });

  it('is named with all who say the same as it', () => {
    const bench = group('a', 'b', 'c', 'd', 'e');
    for (const workerId of ['a', 'd']) bench.says(workerId, 0, { tree: 'forged 0' });
    expect(bench.sent('halt')).toEqual([]);
    for (const workerId of ['b', 'c', 'e']) bench.committed(workerId, 0);
    for (const workerId of ['a', 'd']) bench.halted(workerId, 1, 0, 'forged');
    for (const workerId of ['b', 'c', 'e']) bench.halted(workerId, 1, 0);
    expect(bench.state.record.map(({ payload }) => payload)).toEqual([['tree 0']]);
    expect(bench.group).toEqual(['b', 'c', 'e']);
    expect([...bench.state.setAside.keys()].sort()).toEqual(['a', 'd']);
  });

  it('decides alone in a group of one', () => {
    const bench = group('a');
    bench.committed('a', 0);
    expect(bench.recorded()).toHaveLength(1);
  });
});

describe('two members that differ', () => {
  function differ(bench: Bench, metrics?: { loss: number }): void {
    const round = recordedRounds(bench.state);
    const [first, second] = bench.group as [string, string];
    bench.committed(first, round);
    bench.says(second, round, metrics ? { metrics } : { tree: `forged ${round}` });
    bench.halted(first, round + 1, round);
    if (metrics) bench.halted(second, round);
    else bench.halted(second, round + 1, round, 'forged');
  }

  it('are both not believed: the round is done again by a fresh generation', () => {
    const bench = new Bench().training();
    bench.committed('a', 0);
    bench.says('b', 0, { tree: 'forged 0' });
    expect(bench.sent('halt').map(({ message }) => message)).toMatchObject([
      { when: 'commit', atRounds: 2 },
      { when: 'commit', atRounds: 2 },
    ]);
    // Nobody waits for longer than for any other answer.
    expect(bench.state.halt?.deadlineMs).toBe(defaultTiming.haltMs);
    bench.halted('a', 1, 0);
    bench.halted('b', 1, 0, 'forged');
    expect(bench.state).toMatchObject({ phase: 'loading', generation: 2, record: [] });
    expect(
      bench.state.members.map(({ committedRounds, agreedRounds }) => [committedRounds, agreedRounds]),
    ).toEqual([
      [0, 0],
      [0, 0],
    ]);
    bench.ready('a', 'b');
    bench.allCommitted(0);
    expect(bench.recorded()).toHaveLength(1);
    expect(bench.state.disputes.inARow).toBe(0);
  });

  it('end the run when they do again, naming both and what differs', () => {
    const bench = new Bench().training();
    bench.allCommitted(0);
    differ(bench);
    expect(bench.result()).toBeUndefined();
    bench.ready('a', 'b');
    differ(bench);
    expect(bench.result()).toMatchObject({
      code: 'MEMBERS_DISAGREE',
      message:
        'Workers a and b came to different trees of round 1, and nobody can tell who is right, 2 times',
    });
    expect(bench.state.record).toHaveLength(1);
  });

  it('give way to others where there are enough', () => {
    const bench = new Bench({ workers: { min: 2, max: 2 } });
    bench.workers(...['a', 'b', 'c', 'd'].map((workerId) => makeWorker(workerId)));
    for (let i = 0; i < 2; i += 1) {
      bench.ready('a', 'b');
      differ(bench, { loss: -1 });
    }
    expect(lossesOf(bench)).toEqual([
      ['a', 'came to different metrics of round 0'],
      ['b', 'came to different metrics of round 0'],
    ]);
    expect(bench.group).toEqual(['c', 'd']);
  });

  it('cost the one his place who faces several, though most of the group can not tell', () => {
    const bench = new Bench({ workers: { min: 1, max: 5 } }).training('a', 'b', 'c', 'd', 'e');
    for (let i = 0; i < 2; i += 1) {
      bench.message('e', { type: 'stalled', missing: [], code: 'X', message: 'x' });
      for (const workerId of ['a', 'b']) bench.halted(workerId, 1, 0);
      bench.halted('e', 1, 0, 'forged');
      for (const workerId of ['c', 'd']) bench.halted(workerId, 0);
      if (i === 0) expect(bench.group).toHaveLength(5);
      bench.ready(...bench.group);
    }
    expect(bench.state.record).toEqual([]);
    expect(bench.group).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are forgiven where failures are', () => {
    const bench = new Bench({ maxFailures: 1 }).training();
    differ(bench);
    bench.ready('a', 'b');
    differ(bench);
    expect(bench.state).toMatchObject({ phase: 'waiting', failures: 1 });
    bench.tick();
    expect(bench.group).toEqual(['a', 'b']);
  });

  it('end it in time too when one lies now and then', () => {
    const bench = new Bench({ totalRounds: 100 }).training();
    for (let lies = 1; lies < 8; lies += 1) {
      differ(bench);
      expect(bench.result()).toBeUndefined();
      bench.ready('a', 'b');
      bench.allCommitted(recordedRounds(bench.state));
    }
    differ(bench);
    expect(bench.result()).toMatchObject({ code: 'MEMBERS_DISAGREE' });
  });
});

describe('a first rank that keeps the trees to itself', () => {
  it('is not asked again: the others are, and another is the first next time', () => {
    const bench = group('a', 'b', 'c');
    bench.says('a', 0, { payload: undefined as never });
    expect(bench.sent('halt')).toHaveLength(3);
    bench.halted('a', 1);
    bench.halted('b', 1, 0);
    bench.halted('c', 1, 0);
    expect(bench.state.record.map(({ payload }) => payload)).toEqual([['tree 0']]);
    expect(bench.group).toEqual(['b', 'c', 'a']);
  });

  it('and says nothing at all holds nobody up', () => {
    const bench = group('a', 'b', 'c');
    bench.committed('b', 0);
    bench.committed('c', 0);
    bench.tick();
    expect(bench.atMs).toBe(defaultTiming.haltMs);
    bench.halted('a', 0);
    bench.halted('b', 1, 0);
    bench.halted('c', 1, 0);
    expect(bench.state.record).toHaveLength(1);
    expect(bench.group).toEqual(['b', 'c', 'a']);
  });
});

describe('a round that can not be', () => {
  const spec = {
    trainer: 'gbdt',
    features: [{ name: 'x', bins: 4, categorical: false, monotone: 0 }],
    device: { outputs: 1 },
    params: { max_depth: 1 },
  } as unknown as TrainSpec;
  const readPayload = (payload: readonly unknown[]) => gbdtRun.readPayload(spec, payload);
  const leaf = treeOf('00000000000000ff');
  const stump = { ...leaf, left: [1, -1, -1], ...columns(3) };
  const deep = { ...leaf, left: [1, -1, 3, -1, -1], ...columns(5) };

  function columns(nodes: number): object {
    const zeros = Array.from({ length: nodes }, () => 0);
    return Object.fromEntries(
      ['feature', 'bin', 'flags', 'value', 'fixed', 'gain', 'cover'].map((name) => [name, zeros]),
    );
  }

  it.each([
    ['is no tree', [{ forged: true }], /^committed: tree 0: malformed tree: left/],
    ['is nested deeply', [[[[[[]]]]]], /^committed: tree 0: malformed tree/],
    ['has another number of trees', [leaf, leaf], /a round has 2 trees; expected 1$/],
    ['is deeper than the run allows', [deep], /tree 0: node 3 is at depth 2; expected at most 1$/],
    [
      'splits a feature that is not there',
      [{ ...stump, feature: [1, 0, 0] }],
      /node 0 splits feature 1 of 1$/,
    ],
    ['splits after a bin that is not there', [{ ...stump, bin: [4, 0, 0] }], /after bin 4; it has 4 bins$/],
    [
      'splits numbers by categories',
      [{ ...stump, flags: [2, 0, 0], categories: [1, 0, 0, 0, 0, 0, 0, 0] }],
      /splits feature "x" by categories; expected numbers$/,
    ],
    ['has another hash than it names', [stump], /^committed: the trees have another hash than it names$/],
  ])('because it %s is malformed, and never stored', (_, trees, what) => {
    const bench = new Bench({ workers: anyNumber, readPayload }).training('a', 'b', 'c');
    bench.says('a', 0, { payload: trees, payloadSha256: treesSha256([leaf]) });
    expect(bench.malformed()).toEqual([
      { type: 'malformed', workerId: 'a', what: expect.stringMatching(what) as string },
    ]);
    expect(bench.state.setAside.get('a')).toMatchObject({ until: 'never' });
    expect(bench.state.votes.openRounds).toBe(0);
    expect(bench.state.record).toEqual([]);
  });

  it('is taken where it can be', () => {
    const bench = new Bench({ workers: anyNumber, readPayload }).training('a');
    bench.says('a', 0, { payload: [stump], payloadSha256: treesSha256([stump]) });
    expect(bench.state.record.map(({ payload }) => payload)).toEqual([[stump]]);
    expect(contentOf(leaf)).toBe('00000000000000ff');
  });

  it('because it is far ahead, told already or behind the last one is malformed, and not kept', () => {
    const bench = new Bench({ totalRounds: 100_000 }).training();
    bench.committed('a', 0);
    for (const [round, what] of [
      [100_000, 'committed: round 100000 of 100000'],
      [0, 'committed: round 0 after round 0'],
      [5_000, 'committed: round 5000, of which nobody else has told'],
    ] as const) {
      bench.committed('a', round);
      expect(bench.malformed().map((one) => one.what)).toEqual([what]);
    }
    expect(bench.state.votes.openRounds).toBe(1);
  });

  it('is one of few that are kept, however many a member tells in order', () => {
    const bench = new Bench({ totalRounds: 100_000 }).training();
    let malformed = 0;
    for (let round = 0; round < 5_000; round += 1) {
      bench.committed('b', round);
      malformed += bench.malformed().length;
    }
    expect(bench.state.votes.openRounds).toBeLessThanOrEqual(512);
    expect(malformed).toBeGreaterThan(4_000);
    // Who is ahead by so much stops the group, so that it is found out who is right.
    expect(bench.state.halt?.reason).toBe('worker b is 256 rounds ahead of what most members tell');
  });
});

describe('rounds that a member claims when the group halts', () => {
  function halt(bench: Bench): void {
    bench.message('b', { type: 'stalled', missing: [], code: 'X', message: 'x' });
  }

  it('are not taken on its word alone: the round in flight is done again', () => {
    const bench = group('a', 'b', 'c');
    halt(bench);
    bench.halted('a', 1, 0);
    bench.halted('b', 0);
    bench.halted('c', 0);
    expect(bench.state).toMatchObject({ phase: 'loading', record: [] });
    expect(bench.group).toEqual(['a', 'b', 'c']);
  });

  it('are taken when most have them', () => {
    const bench = group('a', 'b', 'c');
    halt(bench);
    bench.halted('a', 1, 0);
    bench.halted('b', 0);
    bench.halted('c', 1, 0);
    expect(bench.state.record).toHaveLength(1);
  });

  it('count with what lost members told before', () => {
    const bench = group('a', 'b', 'c');
    bench.committed('c', 0);
    bench.workers(makeWorker('a'), makeWorker('b'));
    bench.halted('a', 1, 0);
    bench.halted('b', 0);
    expect(bench.state.record).toHaveLength(1);
    expect(bench.group).toEqual(['a', 'b']);
  });

  it('are its own proof against it when it said otherwise before', () => {
    const bench = group('a', 'b', 'c');
    bench.committed('c', 0);
    halt(bench);
    bench.halted('c', 1, 0, 'forged');
    expect(bench.malformed().map(({ what }) => what)).toEqual(['halted: round 0: it said otherwise before']);
    expect(bench.group).toEqual(['a', 'b']);
  });

  it('that no group can have made are the claim of a liar', () => {
    const bench = group('a', 'b', 'c');
    halt(bench);
    bench.halted('a', 5, 0);
    bench.halted('b', 0);
    bench.halted('c', 0);
    expect(lossesOf(bench)).toEqual([['a', 'it claims rounds that no group can have made']]);
    expect(bench.state.record).toEqual([]);
  });

  it('that no pair can have made leave open which of the two lies', () => {
    const bench = new Bench().training();
    for (let i = 0; i < 2; i += 1) {
      halt(bench);
      bench.halted('a', 5, 0);
      bench.halted('b', 0);
      if (i === 0) bench.ready('a', 'b');
    }
    expect(bench.result()).toMatchObject({
      code: 'MEMBERS_DISAGREE',
      message:
        'Workers a and b say that 5 and 0 rounds are committed, and nobody can tell who is right, 2 times',
    });
  });

  it('are taken from a member whose only peer has lost its state', () => {
    const bench = new Bench({ workers: anyNumber }).training();
    bench.allCommitted(0);
    bench.committed('a', 1);
    bench.workers(makeWorker('a'), makeWorker('b', { session: 2 }));
    halt(bench);
    bench.halted('a', 2, 1);
    bench.halted('b', 0);
    expect(bench.state.record).toHaveLength(2);
  });

  it('must follow the record', () => {
    const bench = group('a', 'b', 'c');
    halt(bench);
    bench.halted('a', 5, 3);
    expect(bench.malformed().map(({ what }) => what)).toEqual(['halted: rounds from 3 on; 0 are recorded']);
    expect(bench.group).toEqual(['b', 'c']);
  });

  it('do not make the others train for longer', () => {
    const bench = new Bench({ totalRounds: 10_000, workers: { min: 3, max: 3 } }).training('a', 'b', 'c');
    for (let round = 0; round < 200; round += 1) bench.committed('b', round);
    bench.input({ type: 'stop', atMs: 5, reason: 'enough' });
    expect(bench.sent('halt')[0]?.message).toMatchObject({ when: 'commit', atRounds: 2 });
  });
});
