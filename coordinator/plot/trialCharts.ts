// An experiment in three charts: the score of each trial in order, its parameters beside its score, and its curve.

import { axes, CHART_WIDTH, emptyNote, heading, type Area, type Chart, type PlotTable } from './chart.ts';
import { lineChart } from './lineChart.ts';
import { parallelChart } from './parallelChart.ts';
import { plotNumber } from './plotNumber.ts';
import { extentOf, linearScale } from './scale.ts';
import { bestTrial, rankTrials, type PlottedExperiment, type RankedTrial } from './rankTrials.ts';
import { coordinate, element, escaped } from './svgText.ts';
import { paramText } from './paramAxis.ts';
import type { PlotPoint } from './thinCurve.ts';

export interface TrialChartOptions {
  readonly isLog: boolean;
}

const TABLE_ROWS = 1000;
/** Of all curves together. */
const CURVE_POINTS = 40_000;

export function trialCharts(experiment: PlottedExperiment, { isLog }: TrialChartOptions): Chart[] {
  const ranked = rankTrials(experiment);
  const { metric } = experiment;
  const curves = ranked.filter(({ curve }) => curve.length > 1);
  return [
    { ...scoreChart(experiment, ranked), table: trialTable(experiment, ranked) },
    ...(ranked.some(({ params }) => Object.keys(params).length > 0)
      ? [parallelChart(experiment, ranked)]
      : []),
    ...(curves.length > 0
      ? [
          lineChart({
            title: `${metric} by iteration`,
            description: `Curves of ${curves.length} trials; the best is marked.`,
            lines: curves.map(({ index, curve, className }) => ({
              name: `trial ${index}`,
              points: curve,
              className: `thin ${className}`,
            })),
            xName: 'iteration',
            isLog,
            hasLegend: false,
            mostPoints: Math.max(8, Math.floor(CURVE_POINTS / curves.length)),
          }),
        ]
      : []),
  ];
}

function scoreChart(experiment: PlottedExperiment, ranked: readonly RankedTrial[]): Chart {
  const { metric, mode, trials } = experiment;
  const best = bestTrial(experiment);
  const title = `${metric} of each trial`;
  const head = heading(title, [{ name: 'best so far', className: 'line c1' }]);
  const area: Area = {
    left: 72,
    right: CHART_WIDTH - 20,
    top: head.height + 6,
    bottom: head.height + 206,
  };
  const scores = extentOf(trials.flatMap(({ score }) => (score === undefined ? [] : [score])));
  const body = [head.body];
  if (scores === undefined) body.push(emptyNote('no trial has a finite score', area));
  else {
    const x = linearScale([0, Math.max(1, trials.length - 1)], area.left + 8, area.right - 8, 8);
    const y = linearScale(scores, area.bottom - 8, area.top + 8);
    const whole = { ...x, ticks: x.ticks.filter(Number.isInteger) };
    const path = bestSoFar(experiment).map(({ x: at, y: value }, i) =>
      i === 0
        ? `M${coordinate(x.at(at))} ${coordinate(y.at(value))}`
        : `H${coordinate(x.at(at))}V${coordinate(y.at(value))}`,
    );
    body.push(
      axes(area, whole, y, { x: 'trial' }),
      element('path', { d: `${path.join('')}H${coordinate(area.right - 8)}`, class: 'line c1' }),
      ...ranked
        .filter(({ className }) => className !== 'failed')
        .map(({ index, score, className }) => {
          const tooltip = element('title', {}, escaped(`trial ${index}: ${plotNumber(score!)}`));
          const circle = { cx: x.at(index), cy: y.at(score!), r: trials.length > 200 ? 2.5 : 4 };
          return element('circle', { ...circle, class: `point ${className}` }, tooltip);
        }),
    );
  }
  const failed = ranked.filter(({ className }) => className === 'failed').length;
  const words = best ? `best is trial ${best.index} with ${plotNumber(best.score!)}` : 'none has a score';
  return {
    title,
    description: `${trials.length} trials, ${mode === 'max' ? 'more' : 'less'} is better; ${words}; ${failed} without a score.`,
    height: area.bottom + 46,
    body: body.join('\n'),
  };
}

/** Each trial that was better than all before it. */
function bestSoFar({ trials, mode }: PlottedExperiment): PlotPoint[] {
  const steps: PlotPoint[] = [];
  for (const { index, score } of trials) {
    if (score === undefined || !Number.isFinite(score)) continue;
    const before = steps.at(-1)?.y;
    if (before !== undefined && !(mode === 'max' ? score > before : score < before)) continue;
    steps.push({ x: index, y: score });
  }
  return steps;
}

function trialTable({ metric }: PlottedExperiment, ranked: readonly RankedTrial[]): PlotTable {
  const names = [...new Set(ranked.flatMap(({ params }) => Object.keys(params)))];
  const rows = ranked.toReversed().slice(0, TABLE_ROWS);
  return {
    columns: ['trial', 'status', ...names, metric],
    rows: rows.map(({ index, status, params, score }) => [
      String(index),
      status,
      ...names.map((name) => paramText(params[name])),
      score === undefined ? '' : plotNumber(score),
    ]),
    note: `Best first${ranked.length > TABLE_ROWS ? `: ${TABLE_ROWS} of ${ranked.length} trials` : ''}.`,
  };
}
