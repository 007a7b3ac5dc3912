import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { WorkerKeys } from '../../../../coordinator/core/pool/workerKeys.ts';

const members = ['w-b', 'w-a', 'w-c'];
const pairs = [
  ['w-a', 'w-b'],
  ['w-a', 'w-c'],
  ['w-b', 'w-c'],
] as const;

describe('keys of links', () => {
  it('are the same for both ends of a pair, and of no other pair, generation, run or coordinator', () => {
    const given = [
      new WorkerKeys('root').linkKeys('run', 1, members),
      new WorkerKeys('root').linkKeys('run', 2, members),
      new WorkerKeys('root').linkKeys('other', 1, members),
      new WorkerKeys('another root').linkKeys('run', 1, members),
    ];
    for (const keys of given) {
      for (const [one, other] of pairs) expect(keys.get(one)?.[other]).toBe(keys.get(other)?.[one]);
      for (const member of members) expect(Object.keys(keys.get(member) ?? {})).not.toContain(member);
    }
    const all = given.flatMap((keys) => pairs.map(([one, other]) => keys.get(one)?.[other]));
    expect(new Set(all).size).toBe(12);
    expect(all.every((key) => key !== undefined && /^[\w-]{43}$/.test(key))).toBe(true);
  });

  it('are the same after a restart, whatever the order of members', () => {
    const keys = new WorkerKeys('root').linkKeys('run', 1, members);
    expect(new WorkerKeys('root').linkKeys('run', 1, members.toReversed())).toEqual(keys);
  });
});

describe('the token for signalling', () => {
  it('is of one worker, and no code made with the kept key itself', () => {
    const token = new WorkerKeys('root').signallingToken('w-a');
    expect(token).toBe(new WorkerKeys('root').signallingToken('w-a'));
    expect(token).not.toBe(new WorkerKeys('root').signallingToken('w-b'));
    const made = ['w-a', 'signalling', 'signalling w-a', 'tabgrad signalling'].map((text) =>
      createHmac('sha256', 'root').update(text).digest('base64url'),
    );
    expect(made).not.toContain(token);
  });
});
