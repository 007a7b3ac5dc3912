import { describe, expect, it } from 'vitest';
import {
  chartsOf,
  measureOf,
  pointAt,
  rangeOf,
  styleOf,
  tablePlaces,
} from '../../../../client/page/run/chartModel.ts';
import { RunHistory } from '../../../../client/page/run/runHistory.ts';
import type { StreamedEvent } from '../../../../shared/api/runAnswers.ts';

const START = 1_000;

/** A round a second. */
function storyOf(metrics: Readonly<Record<string, readonly number[]>>): RunHistory {
  const history = new RunHistory();
  const rounds = Math.max(...Object.values(metrics).map(({ length }) => length));
  for (let round = 0; round < rounds; round += 1) {
    const values = Object.entries(metrics).map(([name, all]) => [name, all[round]!] as const);
    const event: StreamedEvent = {
      type: 'round',
      round,
      metrics: Object.fromEntries(values),
      timings: [],
      atMs: START + 1000 * (round + 1),
    };
    history.add({ sequence: round + 1, event });
  }
  return history;
}

const run = (name: string, metrics: Readonly<Record<string, readonly number[]>>) => ({
  name,
  startedAtMs: START,
  history: storyOf(metrics),
});
const byRound = { axis: 'round', weight: 0 } as const;

describe('The charts of one run', () => {
  it('lay the data sets of a metric over one another', () => {
    const charts = chartsOf(
      [run('a', { 'train-rmse': [3, 2], 'valid-rmse': [4, 3], loss: [1, 1], epoch: [0, 1] })],
      byRound,
    );
    expect(charts.map(({ title, lines }) => [title, lines.map(({ name }) => name)])).toEqual([
      ['rmse', ['train-rmse', 'valid-rmse']],
      ['loss', ['loss']],
    ]);
    expect(charts[0]!.lines[1]!.points).toEqual([
      { at: 1, value: 4 },
      { at: 2, value: 3 },
    ]);
  });

  it('count seconds since its start along time', () => {
    const [chart] = chartsOf([run('a', { loss: [3, 2] })], { axis: 'time', weight: 0 });
    expect(chart!.lines[0]!.points).toEqual([
      { at: 1, value: 3 },
      { at: 2, value: 2 },
    ]);
  });

  it('keep what was before smoothing', () => {
    const [chart] = chartsOf([run('a', { loss: [1, 3] })], { axis: 'round', weight: 0.5 });
    const { points, raw } = chart!.lines[0]!;
    expect(raw?.map(({ value }) => value)).toEqual([1, 3]);
    expect(points.map(({ value }) => value)).toEqual([1, 1.75 / 0.75]);
  });
});

describe('The charts of several runs', () => {
  it('are one a metric, with a line for each run that has it', () => {
    const charts = chartsOf(
      [run('a', { 'train-rmse': [3], auc: [0.5] }), run('b', { 'train-rmse': [2] })],
      byRound,
    );
    expect(charts.map(({ title, lines }) => [title, lines.map(({ name }) => name)])).toEqual([
      ['train-rmse', ['a', 'b']],
      ['auc', ['a']],
    ]);
  });

  it('give a run the same line in every chart, and twelve runs twelve different ones', () => {
    const [, auc] = chartsOf([run('a', { rmse: [3] }), run('b', { rmse: [2], auc: [1] })], byRound);
    expect(auc!.lines[0]!.style).toEqual(styleOf(1));
    const looks = Array.from({ length: 12 }, (_, i) => {
      const { colour, dash } = styleOf(i);
      return `${colour % 6} ${String(dash)}`;
    });
    expect(new Set(looks).size).toBe(12);
  });
});

it.each([
  ['valid-rmse', 'rmse'],
  ['eval_loss', 'loss'],
  ['test-', 'test-'],
  ['trainable', 'trainable'],
  ['holdout-rmse', 'holdout-rmse'],
])('%s measures %s', (name, measure) => expect(measureOf(name)).toBe(measure));

describe('Values at a place', () => {
  const points = [
    { at: 1, value: 10 },
    { at: 4, value: 40 },
  ];

  it('are those of the last point until there', () => {
    expect([0, 1, 3.9, 4, 99].map((place) => pointAt(points, place)?.value)).toEqual([
      undefined,
      10,
      10,
      40,
      40,
    ]);
    expect(pointAt([], 1)).toBeUndefined();
  });

  it('stand in a table from the first to the last, evenly between', () => {
    const charts = chartsOf([run('a', { loss: Array.from({ length: 100 }, (_, i) => i) })], byRound);
    expect(rangeOf(charts)).toEqual({ from: 1, to: 100 });
    expect(tablePlaces(charts, 4)).toEqual([1, 34, 67, 100]);
    expect(rangeOf([])).toBeUndefined();
    expect(tablePlaces([], 4)).toEqual([]);
  });
});
