import { describe, expect, it } from 'vitest';
import { judgeRound, type RoundToJudge } from '../../../../coordinator/core/trust/judgeRound.ts';
import { checkKey } from '../../../../shared/gbdt/check/checkKey.ts';
import type { CheckedRound } from '../../../../shared/protocol/control.ts';

const told = (change: Partial<CheckedRound> = {}): CheckedRound => ({
  round: 3,
  steps: [],
  sent: [[0], [0]],
  received: [[0], [0]],
  refused: [],
  ...change,
});
const falseValue = { tree: 0, node: 1, feature: 0, what: 'cover', claimed: 2, found: 1 } as const;
const hidden = { tree: 0, node: 0, feature: 0, gain: 5, hasGain: 2 };

/** As many strangers as answers, of equal rows, of whom one searches all features. */
function judge(searcher: number, answers: RoundToJudge['told'], replayed: Partial<RoundToJudge['replayed']>) {
  return judgeRound({
    round: 3,
    members: answers
      .map((_, rank) => 'abcde'[rank]!)
      .map((workerId, rank) => ({
        workerId,
        isOwners: false,
        leases: [],
        told: answers[rank] && [answers[rank]],
      })),
    told: answers,
    replayed: {
      steps: [],
      areStepsCertain: true,
      roots: ['5/4'],
      members: answers.map(() => [0]),
      ofSteps: answers.map(() => []),
      falseValue: undefined,
      hidden: undefined,
      metrics: {},
      ...replayed,
    },
    key: checkKey('ab'.repeat(16), 4),
    partWeights: answers.map(() => answers.map(() => 1)),
    searcherOf: () => searcher,
  });
}

describe('a round whose sums were all sent rightly', () => {
  it('is right where nothing is false', () => {
    expect(judge(0, [told(), told()], {})).toEqual([]);
  });

  it.each([
    ['a false value', { falseValue }],
    ['a hidden split', { hidden }],
  ])('and has %s is a lie of who searched it', (_, replayed) => {
    expect(judge(1, [told(), told()], replayed)).toMatchObject([{ kind: 'lie', workerId: 'b' }]);
  });

  it.each([
    ['a false value', { falseValue }],
    ['a hidden split', { hidden }],
  ])('and has %s of one who told nothing accuses nobody: what it got is not known', (_, replayed) => {
    expect(judge(1, [told(), undefined], replayed)).toMatchObject([{ kind: 'unexplained' }]);
    expect(judge(0, [undefined, undefined], replayed)).toMatchObject([{ kind: 'unexplained' }]);
  });

  it('is a lie of whose splits most members refused, where that one told what it got', () => {
    const refused = told({ refused: [1] });
    expect(judge(0, [refused, refused], {})).toMatchObject([{ kind: 'lie', workerId: 'b' }]);
    expect(judge(0, [refused, undefined], {})).toMatchObject([{ kind: 'unexplained' }]);
  });
});

describe('what members say of their sums', () => {
  it('is compared with their rows, and pair by pair', () => {
    const other = told({ sent: [[0], [7]], steps: [] });
    expect(judge(0, [other, told()], {})).toMatchObject([{ kind: 'lie', workerId: 'a' }]);
    expect(judge(0, [told({ received: [[0], [9]] }), told()], {})).toMatchObject([
      { kind: 'quarrel', workerIds: ['b', 'a'] },
    ]);
  });
});

/** Five strangers, of whom two are gone and two are in league against the first one. */
describe('what a part of a group says against one of it', () => {
  const nothing = Array.from({ length: 5 }, () => [0]);
  const sums = { sent: nothing, received: nothing };
  const steps = [{ output: 0, limb: 'high' as const, nodes: [0], sum: [0] }];
  const against = (honest: Partial<CheckedRound>, liar: Partial<CheckedRound>): RoundToJudge['told'] => [
    told({ ...sums, ...honest }),
    told({ ...sums, ...liar }),
    told({ ...sums, ...liar }),
    undefined,
    undefined,
  ];

  it('of its splits is no proof', () => {
    expect(judge(0, against({}, { refused: [0] }), {})).toMatchObject([{ kind: 'unexplained' }]);
  });

  it('of its sums of all rows is none where the rows are for it', () => {
    const roots = [{ output: 0, told: ['5/4', '5/5', '5/5', '', ''] }];
    const other = [{ output: 0, told: ['5/5', '5/4', '5/4', '', ''] }];
    const ofRoot = { falseValue: { ...falseValue, feature: undefined } };
    expect(judge(0, against({ roots }, { roots: other }), ofRoot)).toMatchObject([{ kind: 'unexplained' }]);
    // Three of five say what the others told.
    const heard = judge(0, against({ roots }, { roots }), ofRoot);
    expect(heard).toMatchObject([
      { kind: 'lie', workerId: 'b' },
      { kind: 'lie', workerId: 'c' },
    ]);
  });

  it('of the nodes that were summed is none where the rows do not tell', () => {
    const faults = judge(0, against({ steps }, {}), { areStepsCertain: false });
    expect(faults.map(({ kind }) => kind)).toEqual(['unexplained']);
    // Where they do the others lied.
    const sure = judge(0, against({ steps }, {}), { steps });
    expect(sure).toMatchObject([
      { kind: 'lie', workerId: 'b' },
      { kind: 'lie', workerId: 'c' },
    ]);
  });

  it('does not make it answer for a tree that was grown no further', () => {
    expect(judge(0, against({ refused: [1] }, {}), { hidden })).toMatchObject([{ kind: 'unexplained' }]);
    expect(judge(0, against({}, {}), { hidden })).toMatchObject([{ kind: 'lie', workerId: 'a' }]);
  });
});

describe('members that told different sums of the root', () => {
  const roots = [{ output: 0, told: ['5/5', '5/4', ''] }];
  const sums = { sent: [[0], [0], [0]], received: [[0], [0], [0]], roots };

  it('are told apart by the rows', () => {
    const all = [told(sums), told(sums), told(sums)];
    expect(judge(0, all, {})).toMatchObject([{ kind: 'lie', workerId: 'a' }]);
  });
});
