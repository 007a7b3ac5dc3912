import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import { chooseRun } from '../../../coordinator/cli/findRun.ts';

const run = (runId: string, name: string): RunSummary => ({
  runId,
  name,
  status: 'running',
  phase: 'training',
  generation: 1,
  rounds: 0,
  totalRounds: 10,
  workers: [],
});
const runs = [run('3f9a2c01', 'flights'), run('3f9b7d02', 'flights'), run('c0ffee03', 'diamonds')];

describe('finding the run that is meant', () => {
  it.each([
    ['c0ffee03', 'c0ffee03'],
    ['c0ff', 'c0ffee03'],
    ['diamonds', 'c0ffee03'],
    ['flights', '3f9b7d02'], // the one that was started last
    ['3f9a', '3f9a2c01'],
    ['c0f', undefined], // too short to be sure
    ['flight', undefined],
    ['', undefined],
  ])('"%s" means %s', (word, runId) => {
    expect(chooseRun(word, runs)?.runId).toBe(runId);
  });

  it('takes no beginning that two ids share', () => {
    expect(chooseRun('3f9a', [run('3f9a0001', 'a'), run('3f9a0002', 'b')])).toBeUndefined();
  });
});
