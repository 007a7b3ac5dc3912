// Whose fault a standstill is, from what each member says it was waiting for.

import { describe, expect, it } from 'vitest';
import { judgeWaits } from '../../../../coordinator/core/run/waits.ts';

type Said = Readonly<Record<string, readonly string[]>>;

/** @param gone members that said something, or of whom something was said, and that are not there any more. */
function judge(said: Said, gone: readonly string[] = []): ReturnType<typeof judgeWaits> {
  const here = Object.keys(said).filter((id) => !gone.includes(id));
  return judgeWaits(here, new Map(Object.entries(said)));
}

describe('waits', () => {
  it('prove that it is the one for whom most others wait, when it waits for nobody', () => {
    expect(judge({ a: ['q'], b: ['q'], c: [], q: [] })).toEqual({
      type: 'culprit',
      workerId: 'q',
      isProven: true,
    });
  });

  it('lead through one that waits itself to the last one, which is not proven by one word', () => {
    expect(judge({ a: ['v'], b: ['v'], v: ['m'], m: [] })).toEqual({
      type: 'culprit',
      workerId: 'm',
      isProven: false,
    });
    expect(judge({ a: ['b'], b: ['c'], c: ['d'], d: [] })).toMatchObject({ workerId: 'd', isProven: false });
  });

  it('are a quarrel of two where each says that it waits for the other', () => {
    expect(judge({ a: ['v'], b: ['v'], v: ['m'], m: ['v'] })).toEqual({
      type: 'quarrel',
      accusations: [['v', 'm']],
    });
    expect(judge({ a: ['q'], q: ['a'] })).toEqual({
      type: 'quarrel',
      accusations: [
        ['a', 'q'],
        ['q', 'a'],
      ],
    });
  });

  it('draw a third one in only as the opponent of the one who names it', () => {
    expect(judge({ a: ['v'], b: ['v'], c: ['v'], v: ['m'], m: ['a'] })).toEqual({
      type: 'quarrel',
      accusations: [
        ['v', 'm'],
        ['m', 'a'],
      ],
    });
  });

  it('prove nothing where they lead to one that has gone', () => {
    expect(judge({ a: ['v'], b: ['v'], v: ['m'] })).toEqual({ type: 'open', accusations: [] });
    expect(judge({ a: ['v'], b: ['v'], v: ['m'], m: [] }, ['m'])).toEqual({ type: 'open', accusations: [] });
  });

  it('prove nothing where few wait, or in different directions', () => {
    expect(judge({ a: [], b: [], q: ['a'] })).toEqual({ type: 'open', accusations: [['q', 'a']] });
    expect(judge({ a: ['c'], b: ['d'], c: [], d: [], e: [] }).type).toBe('open');
    expect(judge({ a: [], b: [] })).toEqual({ type: 'open', accusations: [] });
    expect(judge({})).toEqual({ type: 'open', accusations: [] });
  });

  it('are followed in groups of the largest size, however long the chain', () => {
    const ids = Array.from({ length: 4096 }, (_, i) => `w${i}`);
    const chain = Object.fromEntries(ids.map((id, i) => [id, i + 1 < ids.length ? [`w${i + 1}`] : []]));
    expect(judge(chain)).toMatchObject({ type: 'culprit', workerId: 'w4095' });
    const circle = { ...chain, w4095: ['w0'] };
    expect(judge(circle)).toMatchObject({ type: 'quarrel', accusations: { length: 4096 } });
  });
});
