import { expect, it } from 'vitest';
import { noContribution, type Contribution } from '../../../../client/page/join/contribution.ts';
import { LastRun } from '../../../../client/page/join/lastRun.ts';
import type { SessionStatus } from '../../../../client/memberRun/sessionEnvironment.ts';

const training = (runId: string, round: number): SessionStatus => ({
  state: 'training',
  runId,
  round,
  rounds: 10,
  rows: 100,
  groupSize: 2,
  rank: 0,
  rowsPerSecond: 1,
  metrics: { rmse: 10 - round },
  links: [],
});
const given = (rounds: number): Contribution => ({ ...noContribution, rounds, rows: 100 * rounds });
const ended = (runId: string): SessionStatus => ({ state: 'idle', ended: { runId, outcome: 'finished' } });

it('tells what came of a run and what was added to it, until the next one begins', () => {
  const last = new LastRun();
  last.hear({ state: 'idle' }, noContribution);
  last.hear(training('one', 3), given(1));
  last.hear(training('one', 10), given(8));
  expect(last.result).toBeUndefined();
  last.hear(ended('one'), given(8));
  const one = { outcome: 'finished', round: 10, metrics: { rmse: 0 }, given: given(8) };
  expect(last.result).toEqual(one);
  last.hear(ended('one'), given(8));
  expect(last.result).toEqual(one);
  last.hear(training('two', 2), given(9));
  expect(last.result).toBeUndefined();
  last.hear(ended('two'), given(9));
  expect(last.result).toMatchObject({ round: 2, given: given(1) });
});

it('tells nothing of a run that goes on without this tab, or that it was not in', () => {
  const last = new LastRun();
  last.hear(ended('other'), noContribution);
  last.hear(training('one', 3), given(1));
  last.hear({ state: 'idle' }, given(1));
  last.hear(ended('other'), given(1));
  expect(last.result).toBeUndefined();
});
