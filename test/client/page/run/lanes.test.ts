import { describe, expect, it } from 'vitest';
import { lanesOf, shareOf } from '../../../../client/page/run/lanes.ts';
import type { ReportedEvent } from '../../../../shared/api/runAnswers.ts';
import type { ToldEvent } from '../../../../shared/api/runHistory.ts';

const told = (...events: readonly (readonly [number | null, ReportedEvent])[]): ToldEvent[] =>
  events.map(([atMs, event], i) => ({ sequence: 10 * (i + 1), atMs, event }));
const group = (generation: number, ...ids: string[]): ReportedEvent => ({
  type: 'group',
  generation,
  workers: ids.map((workerId) => ({ workerId, runtime: 'node', device: 'cpu', rows: 5 })),
});
const lost: ReportedEvent = { type: 'workerLost', workerId: 'b', reason: 'left', shards: 1 };

describe('The lanes of a run', () => {
  const events = told(
    [100, group(1, 'a', 'b')],
    [200, lost],
    [250, group(2, 'a')],
    [300, { type: 'workerJoined', workerId: 'c' }],
    [400, group(3, 'a', 'c')],
    [450, { type: 'checkpoint', rounds: 9, sha256: 'x', sizeBytes: 1 }],
    [500, { type: 'end', status: 'finished' }],
  );

  it('have a span for each group that a worker was in, until it was lost', () => {
    const lanes = lanesOf(events, 9_999, 10)!;
    expect([lanes.unit, lanes.from, lanes.to]).toEqual(['time', 100, 500]);
    expect(
      lanes.lanes.map(({ workerId, spans }) => [
        workerId,
        spans.map(({ generation, from, to }) => [generation, from, to]),
      ]),
    ).toEqual([
      [
        'a',
        [
          [1, 100, 250],
          [2, 250, 400],
          [3, 400, 500],
        ],
      ],
      ['b', [[1, 100, 200]]],
      ['c', [[3, 400, 500]]],
    ]);
    expect(lanes.lanes[1]!.lost).toEqual([{ at: 200, reason: 'left' }]);
    expect(lanes.lanes[2]!.joined).toEqual([300]);
    expect(lanes.checkpoints).toEqual([{ rounds: 9, at: 450 }]);
    expect(lanes.groups.map(({ at }) => at)).toEqual([100, 250, 400]);
  });

  it('go on to the present while the run does', () => {
    const lanes = lanesOf(events.slice(0, 1), 900, 10)!;
    expect(lanes.lanes[0]!.spans).toEqual([{ generation: 1, from: 100, to: 900, rows: 5 }]);
  });

  it('count events where one of them has no time', () => {
    const lanes = lanesOf(told([null, group(1, 'a')], [200, lost]), 900, 10)!;
    expect([lanes.unit, lanes.from, lanes.to]).toEqual(['event', 10, 20]);
  });

  it('are no more than there is room for', () => {
    const lanes = lanesOf(events, 900, 2)!;
    expect([lanes.lanes.length, lanes.leftOut]).toEqual([2, 1]);
    expect(lanesOf([], 900, 2)).toBeUndefined();
  });

  it('are as wide as their share of the time', () => {
    expect([100, 200, 500, 900].map((place) => shareOf({ from: 100, to: 500 }, place))).toEqual([
      0, 0.25, 1, 1,
    ]);
  });
});
