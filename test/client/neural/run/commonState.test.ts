import { describe, expect, it } from 'vitest';
import { commonState, type HeldState } from '../../../../client/neural/run/commonState.ts';

const none: HeldState = { step: -1, hash: '' };
const at = (step: number, hash = `state ${step}`): HeldState => ({ step, hash });

describe('The state that a group goes on from', () => {
  it('is that of most of those who can have one', () => {
    const told = [none, at(7), at(7), at(7, 'forged'), none];
    expect(commonState(told, [1, 2, 3], 5)).toEqual({ ...at(7), givers: [1, 2] });
  });

  it('is none that a newcomer claims, however far it says it is', () => {
    expect(commonState([none, at(2000, 'forged'), none], [], 0)).toBeUndefined();
    expect(commonState([at(2000, 'forged'), at(7), at(2000, 'forged')], [1], 0)).toEqual({
      ...at(7),
      givers: [1],
    });
  });

  it('is given by those alone who can have it, whoever says that it has it too', () => {
    expect(commonState([at(7), at(7)], [1], 7)?.givers).toEqual([1]);
  });

  it('is none where no half of them has the same', () => {
    expect(commonState([at(7), at(8), at(8, 'forged')], [0, 1, 2], 0)).toBeUndefined();
  });

  it('is the later of two, where members were a step apart', () => {
    expect(commonState([at(7), at(8)], [0, 1], 7)).toEqual({ ...at(8), givers: [1] });
    expect(commonState([at(7), at(7), at(8), at(8)], [0, 1, 2, 3], 7)?.step).toBe(8);
  });

  it('is none behind the record, where a member has one that is not', () => {
    expect(commonState([at(7), at(7), at(8)], [0, 1, 2], 8)).toEqual({ ...at(8), givers: [2] });
    expect(commonState([at(7), none, at(7)], [0, 2], 8)).toEqual({ ...at(7), givers: [0, 2] });
  });
});
