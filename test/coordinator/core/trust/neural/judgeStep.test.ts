import { describe, expect, it } from 'vitest';
import { judgeStep, type ToldDispute } from '../../../../../coordinator/core/trust/neural/judgeStep.ts';

const digest = (letter: string): string => letter.repeat(32);
const nothing = digest('0');
const places = ['w0', 'w1', 'w2', 'w3', 'w4'];

function told(
  found: Readonly<Record<string, string>>,
  change: Partial<ToldDispute['dispute']> = {},
): Map<string, ToldDispute> {
  return new Map(
    Object.entries(found).map(([workerId, letter]) => {
      const dispute = {
        what: 'gradient',
        rank: 1,
        by: 2,
        claimed: digest('a'),
        again: digest('b'),
        found: digest(letter),
        ...change,
      } as const;
      return [workerId, { round: 7, dispute }];
    }),
  );
}

const nobodys = { places, isOwners: () => false };
const liars = (...one: Parameters<typeof judgeStep>): number[] | undefined =>
  judgeStep(...one)?.liars.map(({ rank }) => rank);

describe('A disputed step', () => {
  it('is as more than half of the group find it: who said otherwise lied', () => {
    expect(liars(told({ w0: 'b', w1: 'a', w2: 'b', w3: 'b' }), nobodys)).toEqual([1]);
    expect(liars(told({ w0: 'a', w1: 'a', w2: 'b', w3: 'a' }), nobodys)).toEqual([2]);
    expect(judgeStep(told({ w0: 'b', w2: 'b', w3: 'b' }), nobodys)).toMatchObject({
      round: 7,
      what: 'gradient',
      right: digest('b'),
      liars: [{ rank: 1, claimed: digest('a') }],
    });
  });

  it('finds both where neither said what most find', () => {
    expect(liars(told({ w0: 'c', w3: 'c', w4: 'c', w1: 'a', w2: 'b' }), nobodys)).toEqual([1, 2]);
  });

  it('is open while no more than half say the same, however many have told', () => {
    expect(judgeStep(told({ w0: 'b', w2: 'b' }), nobodys)).toBeUndefined();
    expect(judgeStep(told({ w0: 'b', w1: 'a', w2: 'b', w3: 'a', w4: 'c' }), nobodys)).toBeUndefined();
    const pair = { places: ['w0', 'w1'], isOwners: () => false };
    expect(judgeStep(told({ w0: 'a', w1: 'b' }), pair)).toBeUndefined();
  });

  it('is as the one worker of the owner finds it, whatever all others say', () => {
    const jury = { places, isOwners: (workerId: string) => workerId === 'w4' };
    expect(liars(told({ w0: 'a', w1: 'a', w2: 'a', w3: 'a', w4: 'b' }), jury)).toEqual([1]);
    expect(liars(told({ w0: 'b', w4: 'a' }), jury)).toEqual([2]);
  });

  it('is left to the others where the worker of the owner could not tell', () => {
    const jury = { places, isOwners: (workerId: string) => workerId === 'w4' };
    expect(liars(told({ w0: 'b', w2: 'b', w3: 'b', w4: '0' }), jury)).toEqual([1]);
    expect(judgeStep(told({ w0: '0', w2: '0', w3: '0', w4: '0' }), nobodys)).toBeUndefined();
  });

  it('counts words on one and the same dispute alone', () => {
    const words = new Map([...told({ w0: 'b', w2: 'b' }), ...told({ w3: 'b' }, { claimed: nothing })]);
    expect(judgeStep(words, nobodys)).toBeUndefined();
    const other = new Map([...told({ w0: 'b', w2: 'b' }), ...told({ w3: 'b' }, { rank: 4 })]);
    expect(judgeStep(other, nobodys)).toBeUndefined();
  });

  it('convicts four of seven strangers of nobody while the three others are honest, and no honest one by three', () => {
    const seven = { places: ['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6'], isOwners: () => false };
    // Three in league say of an honest contribution that it is wrong.
    expect(liars(told({ w0: 'a', w1: 'a', w2: 'b', w3: 'b', w4: 'b', w5: 'a', w6: 'a' }), seven)).toEqual([
      2,
    ]);
  });
});
