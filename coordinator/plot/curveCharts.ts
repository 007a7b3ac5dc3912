// Learning curves: a chart a metric, with a line for each set of rows that it was computed on.

import { higherIsBetter, isMeasure, mainMetric } from '../../shared/run/metricNames.ts';
import { nearestWord } from '../../shared/text/nearestWord.ts';
import type { Chart, PlotTable } from './chart.ts';
import { bestWords, lineChart, type PlotLine } from './lineChart.ts';
import { PlotArgumentError } from './plotErrors.ts';
import { plotNumber } from './plotNumber.ts';
import type { PlotPoint } from './thinCurve.ts';

type Metrics = Readonly<Record<string, number>>;

export interface Curves {
  /** Metrics of each round, in order. */
  readonly rows: readonly { readonly at: number; readonly metrics: Metrics }[];
  /** What `at` counts, e.g. "round". */
  readonly unit: string;
  /** Names of the sets of rows, which metrics begin with: "train" in "train-auc". */
  readonly sets: readonly string[];
}

export interface CurveOptions {
  /** These alone. */
  readonly metrics?: readonly string[] | undefined;
  readonly isLog: boolean;
}

/** Charts at most: names of metrics are others'. */
const MOST_CHARTS = 12;
const TABLE_ROWS = 1000;
const knownSets = ['train', 'valid', 'validation', 'val', 'test', 'eval'];

/** @throws PlotArgumentError for metrics that are not there. */
export function curveCharts({ rows, unit, sets }: Curves, { metrics, isLog }: CurveOptions): Chart[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row.metrics)) names.add(name);
  const chosen = metrics ? chooseMetrics(metrics, [...names]) : [...names].filter(isMeasure);
  if (chosen.length === 0)
    return [lineChart({ title: 'Metrics', description: 'No metrics.', lines: [], xName: unit })];
  const groups = new Map<string, string[]>();
  for (const name of chosen) {
    const metric = withoutSet(name, sets);
    groups.set(metric, [...(groups.get(metric) ?? []), name]);
  }
  const drawn = [...groups].slice(0, MOST_CHARTS);
  const charts = drawn.map(([title, members]) => {
    const lines = members.map((name) => curveOf(name, rows, sets));
    const main = mainMetric(members)!;
    const best = bestPoint(main, lines.find(({ name }) => name === main)!.points);
    return lineChart({
      title,
      description: described(lines, unit, best && bestWords(main, best, unit)),
      lines,
      xName: unit,
      isLog,
      ...(best && { mark: { point: best, words: bestWords(main, best, unit) } }),
    });
  });
  const last = charts.pop();
  // One table for all of them.
  return last ? [...charts, { ...last, table: tableOf(rows, chosen, unit) }] : [];
}

/** @throws PlotArgumentError that says what was meant. */
export function chooseMetrics(wanted: readonly string[], names: readonly string[]): readonly string[] {
  const missing = wanted.find((name) => !names.includes(name));
  if (missing === undefined) return [...new Set(wanted)];
  const near = nearestWord(missing, names);
  const hint =
    names.length === 0
      ? 'there are none.'
      : near === undefined
        ? `there are ${names.slice(0, 50).join(', ')}`
        : `did you mean ${near}?`;
  throw new PlotArgumentError(`There is no metric "${missing}"; ${hint}`, { field: 'metrics' });
}

/** The first of equals; undefined where the name does not say which end is best. */
function bestPoint(name: string, points: readonly PlotPoint[]): PlotPoint | undefined {
  const isMore = higherIsBetter(name);
  if (isMore === undefined) return undefined;
  let best: PlotPoint | undefined;
  for (const point of points) {
    if (!Number.isFinite(point.y)) continue;
    if (best === undefined || (isMore ? point.y > best.y : point.y < best.y)) best = point;
  }
  return best;
}

function setOf(name: string, sets: readonly string[]): string | undefined {
  return [...sets, ...knownSets].find((set) => name.startsWith(`${set}-`) || name.startsWith(`${set}_`));
}

function withoutSet(name: string, sets: readonly string[]): string {
  const set = setOf(name, sets);
  return set === undefined || name.length === set.length + 1 ? name : name.slice(set.length + 1);
}

function curveOf(name: string, rows: Curves['rows'], sets: readonly string[]): PlotLine {
  return {
    name,
    points: rows.flatMap(({ at, metrics }) => {
      const y = metrics[name];
      return y === undefined ? [] : [{ x: at, y }];
    }),
    isDashed: setOf(name, sets) === 'train',
  };
}

function described(lines: readonly PlotLine[], unit: string, best: string | undefined): string {
  const ends = lines.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return `${name} has no values`;
    return `${name} from ${plotNumber(first.y)} to ${plotNumber(last.y)} over ${plotNumber(points.length)} ${unit}s`;
  });
  return `${[...ends, ...(best === undefined ? [] : [best])].join('; ')}.`;
}

function tableOf(rows: Curves['rows'], names: readonly string[], unit: string): PlotTable {
  const every = Math.ceil(rows.length / TABLE_ROWS);
  const shown = rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
  return {
    columns: [unit, ...names],
    rows: shown.map(({ at, metrics }) => [
      plotNumber(at),
      ...names.map((name) => (metrics[name] === undefined ? '' : plotNumber(metrics[name]))),
    ]),
    ...(every > 1 && { note: `Every ${every}th ${unit}, and the last.` }),
  };
}
