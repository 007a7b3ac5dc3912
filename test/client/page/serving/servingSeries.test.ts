import { describe, expect, it } from 'vitest';
import { applicationState } from '../../../../client/page/serving/applicationState.ts';
import { denseBins, histogramPath } from '../../../../client/page/data/histogramPath.ts';
import { servingSeries } from '../../../../client/page/serving/servingSeries.ts';
import { shareWords } from '../../../../client/page/words/shareWords.ts';
import { sparkPath } from '../../../../client/page/serving/sparkPath.ts';
import { versionShares } from '../../../../client/page/serving/versionShares.ts';
import type { ToldReplica } from '../../../../shared/api/servingAnswers.ts';
import { servingReportOf } from '../../../coordinator/core/serving/servingReportOf.ts';

describe('The last minutes as lines', () => {
  it('have a value every few seconds, nothing where nothing was told, and forget what is older', () => {
    const point = (atMs: number, requests: number) => ({
      atMs,
      requests,
      errors: 1,
      queued: 3,
      ongoing: 1,
      latency: { p50Ms: 1, p95Ms: 2, p99Ms: 4 },
    });
    const series = servingSeries(
      [point(0, 50), point(60_000, 10), point(110_000, 20), point(120_000, 5)],
      5,
      1,
      122_000,
    );
    expect(series.requestsPerSecond).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]);
    expect(series.p99Ms).toEqual([4, null, null, null, null, null, null, null, null, null, 4, null]);
    expect(series.queued.at(-2)).toBe(3);
    expect(series.errorsPerSecond[0]).toBe(0.2);
  });

  it('are drawn from left to right, broken where there is nothing', () => {
    expect(sparkPath([0, null, 2, 4, null, 1], 4, 100, 42)).toBe('M0 41h1M40 21L60 1M100 31h1');
    expect(sparkPath([0, 0], 0, 10, 10)).toBe('M0 9L10 9');
    expect(sparkPath([], 1, 10, 10)).toBe('');
  });
});

describe('A histogram', () => {
  it('has a bar for each bin that has something, the largest as high as all', () => {
    expect(histogramPath([2, 0, 1], 300, 40)).toBe('M6 40v-40h88v40zM206 40v-20h88v20z');
    expect(histogramPath([100_000, 1], 200, 40)).toContain('v-1h');
    expect(histogramPath([0, 0], 10, 10)).toBe('');
  });

  it('is told by the stretch that has half of all', () => {
    expect(denseBins([1, 8, 1])).toEqual([1, 1]);
    expect(denseBins([3, 3, 3, 3])).toEqual([0, 1]);
    expect(denseBins([1, 2, 3, 2, 9, 4])).toEqual([4, 5]);
    expect(denseBins([5])).toEqual([0, 0]);
  });
});

describe('Shares', () => {
  it.each([
    [0, '0 %'],
    [0.00001, '< 0.1 %'],
    [0.0123, '1.2 %'],
    [0.5, '50 %'],
    [0.9999, '> 99.9 %'],
    [1, '100 %'],
  ])('of %d are %s', (share, words) => {
    expect(shareWords(share)).toBe(words);
  });

  it('of two versions are told while an update goes on', () => {
    const replica = (id: string, isCurrent: boolean, answered: number): ToldReplica => ({
      id,
      isCurrent,
      answered,
      state: 'running',
      ongoing: 0,
      version: isCurrent ? 'new' : 'old',
    });
    const old = [replica('a#1', false, 60), replica('a#2', false, 20)];
    expect(versionShares([...old, replica('a#3', true, 20)])).toEqual([
      { version: 'old', isCurrent: false, replicas: 2, answers: 0.8 },
      { version: 'new', isCurrent: true, replicas: 1, answers: 0.2 },
    ]);
    expect(versionShares([replica('a#3', true, 0)])).toMatchObject([{ answers: 0 }]);
  });
});

describe('The state of an application', () => {
  it('is that of its replicas while it is heard', () => {
    const report = servingReportOf();
    const recent = { seconds: 300, requests: 0, errors: 0 };
    const told = { name: 'a', routePrefix: '/', status: 'running' as const, message: '', report, recent };
    const updating = report.deployments.map((one) => ({ ...one, status: 'updating' as const }));
    expect(applicationState(told)).toBe('running');
    expect(applicationState({ ...told, report: { ...report, isReady: false } })).toBe('not ready');
    expect(applicationState({ ...told, report: { ...report, deployments: updating } })).toBe(
      'is being updated',
    );
    expect(applicationState({ ...told, status: 'silent' })).toBe('not heard of lately');
  });
});
