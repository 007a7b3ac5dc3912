import { describe, expect, it } from 'vitest';
import { lineData } from '../../../../client/page/design/chart.browser.tsx';
import { eventWords } from '../../../../client/page/run/eventWords.ts';
import { bestOf, smoothed } from '../../../../client/page/run/smooth.ts';
import type { ReportedEvent } from '../../../../shared/api/runAnswers.ts';

const points = (...values: number[]) => values.map((value, at) => ({ at, value }));

describe('a smoothed curve', () => {
  it('is the curve itself without weight', () => {
    expect(smoothed(points(3, 1, 2), 0)).toEqual(points(3, 1, 2));
  });

  it('begins where the curve does, and goes on by what was before', () => {
    // (0.5·1) / 0.5, (0.25·1 + 0.5·3) / 0.75, (0.125·1 + 0.25·3 + 0.5·0) / 0.875
    const values = smoothed(points(1, 3, 0), 0.5).map(({ value }) => value);
    expect(values).toEqual([1, 1.75 / 0.75, 0.875 / 0.875]);
  });

  it('leaves what is even as it is', () => {
    for (const { value } of smoothed(points(...Array.from({ length: 50 }, () => 7)), 0.97)) {
      expect(value).toBeCloseTo(7, 12);
    }
  });
});

describe('the best value', () => {
  const peaks = { lowest: { at: 2, value: 0.1 }, highest: { at: 1, value: 0.9 } };

  it.each([
    ['valid-auc', 0.9],
    ['accuracy', 0.9],
    ['valid-logloss', 0.1],
    ['train-rmse', 0.1],
  ])('of %s is %d', (name, value) => {
    expect(bestOf(name, peaks)?.value).toBe(value);
  });

  it('is not guessed where the name says nothing, or both', () => {
    expect(bestOf('custom', peaks)).toBeUndefined();
    expect(bestOf('auc_loss', peaks)).toBeUndefined();
    expect(bestOf('auc', { lowest: undefined, highest: undefined })).toBeUndefined();
  });
});

it('lines share one axis, with gaps where one has no point', () => {
  const lines = [
    {
      name: 'a',
      points: [
        { at: 1, value: 10 },
        { at: 3, value: 30 },
      ],
    },
    {
      name: 'b',
      points: [
        { at: 2, value: 5 },
        { at: 3, value: 6 },
      ],
    },
  ];
  expect(lineData(lines)).toEqual([
    [1, 2, 3],
    [10, null, 30],
    [null, 5, 6],
  ]);
});

it.each<[ReportedEvent, string | undefined]>([
  [{ type: 'waiting', reason: 'Waiting for 1 more worker.' }, 'Waiting for 1 more worker.'],
  [
    {
      type: 'group',
      generation: 2,
      workers: [{ workerId: 'a', runtime: 'node', device: 'cpu', rows: 1500 }],
    },
    'Group 2: 1 worker, 1,500 rows.',
  ],
  [
    { type: 'workerLost', workerId: 'a', reason: 'its page was closed', shards: 1 },
    'a is gone: its page was closed.',
  ],
  [{ type: 'end', status: 'finished' }, 'The run is finished.'],
  [{ type: 'end', status: 'failed', error: { code: 'RUN_STUCK', message: 'stuck' } }, 'RUN_STUCK: stuck'],
  [{ type: 'round', round: 3, metrics: {}, timings: [] }, undefined],
])('%j is told as "%s"', (event, words) => {
  expect(eventWords(event)).toBe(words);
});
