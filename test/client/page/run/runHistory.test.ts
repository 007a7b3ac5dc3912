import { describe, expect, it } from 'vitest';
import { RunHistory } from '../../../../client/page/run/runHistory.ts';
import type { CurvesAnswer, TimelineAnswer } from '../../../../shared/api/runHistory.ts';
import type { StreamedEvent } from '../../../../shared/api/runAnswers.ts';

const curves: CurvesAnswer = {
  sequence: 7,
  leftOut: 0,
  curves: [
    {
      name: 'loss',
      count: 900,
      first: [1, 5, 100],
      last: [900, 1, 900],
      lowest: [500, 0.5, 500],
      highest: [1, 5, 100],
      points: [
        [1, 5, 100],
        [500, 0.5, 500],
        [900, 1, 900],
      ],
    },
  ],
  recent: [{ round: 899, atMs: 1_000, timings: [] }],
};
const timeline: TimelineAnswer = {
  leftOut: 3,
  events: [{ sequence: 9, atMs: 50, event: { type: 'waiting', reason: 'for workers' } }],
};
const round = (number: number, value: number, atMs: number): StreamedEvent => ({
  type: 'round',
  round: number,
  metrics: { loss: value },
  timings: [],
  atMs,
});

describe('What is known of a run', () => {
  it('goes on from what was read, and takes no event twice', () => {
    const history = new RunHistory(curves, timeline);
    expect([history.sequence, history.leftOut]).toEqual([7, 3]);
    // Those between the two answers: the timeline has the waiting, the curves do not have the round.
    history.add({ sequence: 8, event: round(900, 0.25, 2_000) });
    history.add({ sequence: 9, event: { type: 'waiting', reason: 'for workers', atMs: 50 } });
    history.add({ sequence: 10, event: { type: 'workerJoined', workerId: 'w', atMs: 60 } });
    history.add({ sequence: 10, event: { type: 'workerJoined', workerId: 'w', atMs: 60 } });
    history.add({ sequence: 8, event: round(900, 99, 2_000) });
    expect(history.events.map(({ sequence, event }) => [sequence, event.type])).toEqual([
      [9, 'waiting'],
      [10, 'workerJoined'],
    ]);
    const curve = history.curve('loss')!;
    expect([curve.last, curve.lowest]).toEqual([
      { at: 901, value: 0.25, atMs: 2_000 },
      { at: 901, value: 0.25, atMs: 2_000 },
    ]);
    expect(history.pace).toBe(1);
    expect(history.isOver).toBe(false);
    history.add({ sequence: 11, event: { type: 'end', status: 'finished' } });
    expect(history.isOver).toBe(true);
  });

  it('is not over while rounds before its end are missing: it ended between the two answers', () => {
    const ended: TimelineAnswer = {
      leftOut: 0,
      events: [{ sequence: 9, atMs: 50, event: { type: 'end', status: 'finished' } }],
    };
    const history = new RunHistory(curves, ended);
    expect([history.isOver, history.sequence]).toEqual([false, 7]);
    history.add({ sequence: 8, event: round(900, 0.25, 2_000) });
    history.add({ sequence: 9, event: { type: 'end', status: 'finished', atMs: 50 } });
    expect([history.isOver, history.curve('loss')!.last?.at, history.events.length]).toEqual([true, 901, 1]);
  });

  it('shows how far loading is until something happens', () => {
    const history = new RunHistory();
    history.add({ sequence: undefined, event: { type: 'loading', rowsLoaded: 1, rowsTotal: 4 } });
    expect(history.loading).toEqual({ type: 'loading', rowsLoaded: 1, rowsTotal: 4 });
    history.add({ sequence: 1, event: round(0, 1, 5) });
    expect(history.loading).toBeUndefined();
  });

  it('is bounded in curves, events and rounds', () => {
    const history = new RunHistory();
    const metrics = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`m${i}`, i]));
    history.add({ sequence: 1, event: { type: 'round', round: 0, metrics, timings: [] } });
    for (let i = 2; i < 2_105; i += 1) {
      history.add({ sequence: i, event: { type: 'waiting', reason: String(i) } });
    }
    for (let i = 0; i < 40; i += 1) history.add({ sequence: 3_000 + i, event: round(i + 1, 1, i) });
    expect([history.names.length, history.events.length, history.leftOut, history.recent.length]).toEqual([
      64, 2_000, 103, 24,
    ]);
    expect(history.events.at(-1)?.event).toEqual({ type: 'waiting', reason: '2104' });
  });
});
