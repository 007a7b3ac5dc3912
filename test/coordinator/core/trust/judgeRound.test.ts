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

/** Two strangers of equal rows, of whom one searches all features. */
function judge(searcher: number, answers: RoundToJudge['told'], replayed: Partial<RoundToJudge['replayed']>) {
  return judgeRound({
    round: 3,
    members: ['a', 'b'].map((workerId, rank) => ({
      workerId,
      isOwners: false,
      leases: [],
      told: answers[rank] && [answers[rank]],
    })),
    told: answers,
    replayed: {
      steps: [],
      members: [[0], [0]],
      ofSteps: [[], []],
      falseValue: undefined,
      hidden: undefined,
      metrics: {},
      ...replayed,
    },
    areStepsTold: true,
    key: checkKey('ab'.repeat(16), 4),
    partWeights: [
      [1, 1],
      [1, 1],
    ],
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
