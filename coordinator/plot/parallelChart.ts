// Parallel coordinates: an axis a parameter and one for the score, a line a trial through its values, coloured by its score.

import { CHART_WIDTH, heading, label, linePath, type Chart } from './chart.ts';
import { paramAxis, paramText } from './paramAxis.ts';
import { plotNumber } from './plotNumber.ts';
import { element, escaped } from './svgText.ts';
import type { PlottedExperiment, RankedTrial } from './rankTrials.ts';

/** Parameters that are drawn at most. */
const MOST_AXES = 9;
const PLOT_HEIGHT = 240;

export function parallelChart({ metric, trials }: PlottedExperiment, ranked: readonly RankedTrial[]): Chart {
  const all = [...new Set(trials.flatMap(({ params }) => Object.keys(params)))];
  // What is the same in all trials tells nothing, unless there is nothing else.
  const differing = all.filter(
    (name) => new Set(trials.map(({ params }) => paramText(params[name]))).size > 1,
  );
  const names = (differing.length > 0 ? differing : all).slice(0, MOST_AXES);
  const head = heading('Parameters and score', [
    { name: 'worst', className: 'line s0' },
    { name: 'good', className: 'line s5' },
    { name: 'best', className: 'line best' },
    ...(ranked.some(({ className }) => className === 'failed')
      ? [{ name: 'no score', className: 'line failed' }]
      : []),
  ]);
  const top = head.height + 24;
  const bottom = top + PLOT_HEIGHT;
  const [left, right] = [70, CHART_WIDTH - 70];
  const columns = [
    ...names.map((name) => ({ name, valueOf: ({ params }: RankedTrial): unknown => params[name] })),
    { name: metric, valueOf: ({ score }: RankedTrial): unknown => score },
  ].map(({ name, valueOf }, i, { length }) => ({
    name,
    valueOf,
    x: length === 1 ? (left + right) / 2 : left + (i / (length - 1)) * (right - left),
    axis: paramAxis(ranked.map(valueOf), bottom, top),
  }));
  const gap = (right - left) / Math.max(1, columns.length - 1);
  const lines = ranked.map((trial) => {
    const places = columns.map(({ valueOf, x, axis }) => [x, axis.at(valueOf(trial))] as const);
    const words = names.map((name) => `${name} ${paramText(trial.params[name])}`).join(', ');
    const score = trial.score === undefined ? trial.status : `${metric} ${plotNumber(trial.score)}`;
    const tooltip = element('title', {}, escaped(`trial ${trial.index}: ${words}; ${score}`));
    return element('g', {}, tooltip, linePath(places, `thin ${trial.className}`));
  });
  const frame = columns.map(({ name, x, axis }, i) =>
    [
      element('line', { x1: x, x2: x, y1: top, y2: bottom, class: 'axis' }),
      // Every second name stands higher, so that long ones have room.
      label(name.split('.').at(-1) ?? name, x, top - (i % 2 === 0 ? 10 : 22), {
        anchor: 'middle',
        className: 'label strong',
        width: Math.min(2 * gap, 2 * (Math.min(x, CHART_WIDTH - x) - 4)),
      }),
      ...axis.ticks.map((tick) =>
        label(tick.words, x + 5, tick.at + 4, {
          className: 'label strong quiet',
          width: Math.min(gap, 70) - 8,
        }),
      ),
    ].join(''),
  );
  const more = (differing.length > 0 ? differing : all).length - names.length;
  const left0 = more > 0 ? ` ${more} more parameters are in the table.` : '';
  return {
    title: 'Parameters and score',
    description: `${ranked.length} trials through the axes ${columns.map(({ name }) => name).join(', ')}.${left0}`,
    height: bottom + (more > 0 ? 40 : 24),
    body: [
      head.body,
      ...lines,
      ...frame,
      ...(more > 0 ? [label(left0.trim(), left, bottom + 26, { className: 'label quiet' })] : []),
    ].join('\n'),
  };
}
