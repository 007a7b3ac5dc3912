import { describe, expect, it } from 'vitest';
import { ServingHistory } from '../../../../coordinator/core/serving/servingHistory.ts';
import { latencyCounts, servingReportOf } from './servingReportOf.ts';

const START = 1_700_000_000_000;

function report(ok: number, failed = 0, queued = 0) {
  const whole = servingReportOf({ byStatus: { 200: ok, 400: 7, 429: failed, 500: failed } });
  return {
    ...whole,
    latencies: latencyCounts({ 0.01: ok }),
    deployments: whole.deployments.map((deployment) => ({ ...deployment, queued, ongoing: 2 })),
  };
}

describe('The history of an application', () => {
  it('has what counters grew by, a point every five seconds', () => {
    const history = new ServingHistory();
    history.add(report(10), START);
    history.add(report(30, 1, 4), START + 2_000);
    history.add(report(31, 1, 1), START + 4_000);
    history.add(report(41, 1), START + 6_000);
    const points = history.points(START + 7_000);
    expect(points).toMatchObject([
      { atMs: START, requests: 21 + 2, errors: 2, queued: 4, ongoing: 2 },
      { atMs: START + 5_000, requests: 10, errors: 0, queued: 0, ongoing: 2 },
    ]);
    expect(points[1]!.latency!.p50Ms).toBeCloseTo(7.5, 9);
    expect(history.recent(START + 7_000)).toMatchObject({ seconds: 300, requests: 33, errors: 2 });
  });

  it('counts nothing of what a server did before it was heard, and never backwards', () => {
    const history = new ServingHistory();
    history.add(report(100), START);
    history.add({ ...report(3), serverId: 'other' }, START + 5_000);
    history.add({ ...report(2), serverId: 'other' }, START + 10_000);
    history.add({ ...report(6), serverId: 'other' }, START + 15_000);
    expect(history.points(START + 15_000).map(({ requests }) => requests)).toEqual([0, 0, 0, 4]);
  });

  it('adds two servers of one name up, while they are told of in turn', () => {
    const history = new ServingHistory();
    for (let at = 0; at < 4; at++) {
      history.add(report(100 + at), START + at * 5_000);
      history.add({ ...report(10 * at), serverId: 'other' }, START + at * 5_000);
    }
    expect(history.points(START + 15_000).map(({ requests }) => requests)).toEqual([0, 11, 11, 11]);
  });

  it('has no latency where nothing was asked', () => {
    const history = new ServingHistory();
    history.add(report(0), START);
    history.add(report(1), START);
    history.add(report(1), START + 5_000);
    expect(history.points(START + 5_000).map(({ latency }) => latency !== undefined)).toEqual([true, false]);
  });

  it('keeps an hour, however long it goes', () => {
    const history = new ServingHistory();
    for (let at = 0; at < 2_000; at++) history.add(report(at), START + at * 5_000);
    const points = history.points(START + 1_999 * 5_000);
    expect(points.length).toBe(720);
    expect(points.at(-1)!.atMs).toBe(START + 1_999 * 5_000);
    expect(history.points(START + 1_999 * 5_000 + 3_600_000)).toEqual([]);
  });

  it('goes on with the last point where the clock was set back', () => {
    const history = new ServingHistory();
    history.add(report(1), START);
    history.add(report(4), START - 60_000);
    expect(history.points(START).map(({ requests }) => requests)).toEqual([3]);
  });
});
