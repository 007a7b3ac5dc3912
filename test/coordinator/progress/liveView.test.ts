import { describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../../coordinator/progress/progressEvent.ts';
import {
  afterEvent,
  initialProgress,
  type ProgressState,
} from '../../../coordinator/progress/progressState.ts';
import { liveView } from '../../../coordinator/progress/liveView.ts';
import { MAX_CURVE_POINTS, MAX_TRACKS } from '../../../coordinator/progress/metricTrack.ts';
import { sparkline } from '../../../coordinator/progress/sparkline.ts';
import { columnsOf } from '../../../shared/text/textColumns.ts';

const round = (index: number, metrics: Record<string, number>, workers = 0): ProgressEvent => ({
  type: 'round',
  committed: { round: index, payload: [], metrics },
  timings: Array.from({ length: workers }, (_, i) => ({
    workerId: `w-${i}`,
    computeMs: 10 * (i + 1),
    exchangeMs: 5,
    bytesSent: 0,
  })),
});

const group = (count: number, device = 'cpu'): ProgressEvent => ({
  type: 'group',
  generation: 1,
  workers: Array.from({ length: count }, (_, i) => ({
    workerId: `w-${i}`,
    runtime: 'node',
    device,
    rows: 1000,
  })),
});

function after(events: readonly ProgressEvent[], roundsTotal = 100): ProgressState {
  return events.reduce(
    (state, event, i) => afterEvent(state, event, i * 100),
    initialProgress(roundsTotal, true),
  );
}

describe('a curve in blocks', () => {
  it.each([
    [[], 8, ''],
    [[5], 8, '▄'],
    [[1, 1, 1], 8, '▄▄▄'],
    [[0, 1, 2, 3, 4, 5, 6, 7], 8, '▁▂▃▄▅▆▇█'],
    [[0, NaN, 1, Infinity, -Infinity], 8, '▁ █  '],
    [[0, 0, 10, 10], 2, '▁█'],
    [[NaN, 3, 4, 4], 2, '▁█'],
    [[-1e308, 1e308], 4, '▁█'],
    [[1, 2, 3], 0, ''],
  ])('%j in %d cells is "%s"', (values, cells, text) => {
    expect(sparkline(values, cells)).toBe(text);
  });
});

describe('what is known of a metric', () => {
  it('has its last value and its best, in the direction that its name says', () => {
    const values = [0.5, NaN, 0.9, 0.7, Infinity, 0.9];
    const { tracks } = after(
      values.map((value, i) => round(i, { 'valid-auc': value, 'valid-rmse': value, own: value })),
    );
    expect(tracks.map(({ name, last, best }) => [name, last, best])).toEqual([
      ['valid-auc', 0.9, { round: 3, value: 0.9 }],
      ['valid-rmse', 0.9, { round: 1, value: 0.5 }],
      ['own', 0.9, undefined],
    ]);
  });

  it('keeps a curve of bounded length, from the first round on', () => {
    let state = initialProgress(10_000, true);
    for (let i = 0; i < 10_000; i++) state = afterEvent(state, round(i, { loss: i }), i);
    const [{ curve }] = state.tracks as [ProgressState['tracks'][number]];
    expect(curve.length).toBeLessThanOrEqual(MAX_CURVE_POINTS);
    expect(curve.length).toBeGreaterThan(MAX_CURVE_POINTS / 2 - 1);
    expect([curve[0], curve.every(({ round: at, value }) => value === at - 1)]).toEqual([
      { round: 1, value: 0 },
      true,
    ]);
    expect(curve.at(-1)!.round).toBeGreaterThan(9_700);
  });

  it('is not kept of what tells of progress alone, nor of more metrics than are bearable', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`m${i}`, i]));
    const { tracks } = after([round(0, { epoch: 1, lr: 0.1, ...many }), round(1, many)]);
    expect(tracks).toHaveLength(MAX_TRACKS);
    expect(tracks[0]!.name).toBe('m0');
  });
});

describe('a run on the terminal', () => {
  it('has a line for how far it is, one a metric with what matters first, and one a worker', () => {
    const state = after([
      group(2, 'NVIDIA H200'),
      round(0, { 'train-auc': 0.5, 'valid-auc': 0.4 }, 2),
      round(1, { 'train-auc': 0.75, 'valid-auc': 0.7 }, 2),
    ]);
    expect(liveView(state, { columns: 118, rows: 40 })).toEqual([
      'round 2/100  [................]  9.8 s left  10 rounds/s  20K rows/s  2 workers',
      'valid-auc  ▁█  0.70000  best 0.70000 in round 2',
      'train-auc  ▁█  0.75000  best 0.75000 in round 2',
      'w-0  node  NVIDIA H200  1,000 rows  █████░░░  computing 10 ms, exchange 5.0 ms',
      'w-1  node  NVIDIA H200  1,000 rows  ██████░░  computing 20 ms, exchange 5.0 ms',
    ]);
  });

  it('shows eight lines of workers, and how many more there are', () => {
    const lines = liveView(after([group(4096), round(0, {}, 4096)]), { columns: 118, rows: 60 });
    expect(lines).toHaveLength(9);
    expect(lines.slice(-2)).toEqual([
      'w-6  node  cpu  1,000 rows  ███████░  computing 70 ms, exchange 5.0 ms',
      'and 4,089 more',
    ]);
    expect(liveView(after([group(8), round(0, {}, 8)]), { columns: 118, rows: 60 }).at(-1)).toContain('w-7');
  });

  it.each([
    [40, 120],
    [24, 80],
    [24, 30],
    [12, 10],
    [8, 80],
    [7, 80],
    [1, 1],
  ])('fits %d rows of %d columns, with names of wide and hostile characters', (rows, columns) => {
    const metrics = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`損失-${i}-\u001B[2J`, i]));
    const state = after([
      group(50, '显卡\r\n\u001B[31m'.repeat(20)),
      round(0, metrics, 50),
      round(1, metrics, 50),
    ]);
    const lines = liveView(state, { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows / 2));
    expect(lines.every((line) => columnsOf(line) <= columns)).toBe(true);
    expect(rows < 8 || lines.length === Math.floor(Math.min(rows / 2, 13))).toBe(true);
  });

  it('has no bar and no time left where the end is not known', () => {
    const state = after([group(1), round(0, {}, 0), round(1, {}, 0)], 0);
    expect(liveView(state, { columns: 80, rows: 24 })[0]).toBe('round 2  10 rounds/s  10K rows/s  1 worker');
  });

  it('is one line before there is a group', () => {
    expect(liveView(after([]), { columns: 80, rows: 24 })).toEqual(['preparing  0 rows']);
    expect(
      liveView(after([{ type: 'waiting', reason: 'nobody is here' }]), { columns: 80, rows: 24 }),
    ).toEqual(['waiting: nobody is here']);
  });
});
