// Which lines are drawn in which chart: of one run the data sets of a metric over one another, of several runs a chart a
// metric with a line a run.

import type { Point } from '../design/curve.ts';
import type { LineStyle } from '../design/drawLines.browser.ts';
import type { CurvePoint } from '../../../shared/run/thinnedCurve.ts';
import type { RunHistory } from './runHistory.ts';
import { smoothed } from './smooth.ts';

/** What the x axis counts: rounds, or seconds since the start of the run. */
export type Axis = 'round' | 'time';

export interface ChartLine {
  readonly name: string;
  readonly style: LineStyle;
  /** As it is drawn. */
  readonly points: readonly Point[];
  /** Before smoothing; absent where it is the same. */
  readonly raw?: readonly Point[];
}

export interface ChartModel {
  readonly title: string;
  readonly lines: readonly ChartLine[];
}

export interface ChartedRun {
  readonly name: string;
  readonly startedAtMs: number;
  readonly history: Pick<RunHistory, 'curve' | 'names'>;
}

export interface ChartWish {
  readonly axis: Axis;
  /** Of smoothing, in [0, 1). */
  readonly weight: number;
  /** A chart a metric with a line a run, also while only one of them is read. Default: where there are several. */
  readonly isCompared?: boolean;
}

/** How far along the run is, and no measure of the model. */
const progressNames: ReadonlySet<string> = new Set(['epoch']);
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

/** Told apart by the dash as well as by the colour: twelve lines look different. */
export function styleOf(line: number): LineStyle {
  const dash = dashes[line % dashes.length]!;
  return dash.length === 0 ? { colour: line } : { colour: line, dash };
}

export function chartsOf(runs: readonly ChartedRun[], wish: ChartWish): ChartModel[] {
  const [only, ...others] = runs;
  if (!only) return [];
  if (!(wish.isCompared ?? others.length > 0)) return chartsOfOne(only, wish);
  const names = [...new Set(runs.flatMap(({ history }) => history.names))].filter(isMeasure);
  return names.map((title) => ({
    title,
    lines: runs.flatMap((run, at) => {
      const line = lineOf(run, title, run.name, styleOf(at), wish);
      return line ? [line] : [];
    }),
  }));
}

function chartsOfOne(run: ChartedRun, wish: ChartWish): ChartModel[] {
  const groups = new Map<string, string[]>();
  for (const name of run.history.names.filter(isMeasure)) {
    const title = measureOf(name);
    const names = groups.get(title);
    if (names) names.push(name);
    else groups.set(title, [name]);
  }
  return [...groups].map(([title, names]) => ({
    title,
    lines: names.flatMap((name, at) => lineOf(run, name, name, styleOf(at), wish) ?? []),
  }));
}

/** Without the data set in front: "valid-rmse" and "train-rmse" are both rmse. */
export function measureOf(name: string): string {
  return name.replace(/^(train|valid|validation|val|test|eval)[-_/](?=.)/i, '');
}

const isMeasure = (name: string): boolean => !progressNames.has(name);

function lineOf(
  { history, startedAtMs }: ChartedRun,
  metric: string,
  name: string,
  style: LineStyle,
  { axis, weight }: ChartWish,
): ChartLine | undefined {
  const curve = history.curve(metric);
  if (!curve) return undefined;
  const points = curve.points().flatMap((point) => placed(point, axis, startedAtMs));
  const raw = points.filter(({ at }, i) => at > (points[i - 1]?.at ?? -Infinity));
  return weight > 0 ? { name, style, points: smoothed(raw, weight), raw } : { name, style, points: raw };
}

/** Points without a time have no place on an axis of time. */
function placed({ at, value, atMs }: CurvePoint, axis: Axis, startedAtMs: number): Point[] {
  if (axis === 'round') return [{ at, value }];
  return atMs === undefined ? [] : [{ at: (atMs - startedAtMs) / 1000, value }];
}

/** The last point that does not lie after a place. */
export function pointAt(points: readonly Point[], place: number): Point | undefined {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]!.at <= place) low = middle + 1;
    else high = middle;
  }
  return points[low - 1];
}

/** From the first point of all lines to the last. */
export function rangeOf(
  charts: readonly ChartModel[],
): { readonly from: number; readonly to: number } | undefined {
  const ends = charts.flatMap(({ lines }) =>
    lines.flatMap(({ points }) => [points[0]?.at, points.at(-1)?.at].filter((at) => at !== undefined)),
  );
  return ends.length === 0 ? undefined : { from: Math.min(...ends), to: Math.max(...ends) };
}

/** Places spread evenly over the lines, with the first and the last, for a table of what the chart shows. */
export function tablePlaces(charts: readonly ChartModel[], most: number): number[] {
  const range = rangeOf(charts);
  if (!range) return [];
  const places = [
    ...new Set(charts.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(({ at }) => at)))),
  ];
  places.sort((a, b) => a - b);
  if (places.length <= most) return places;
  return Array.from({ length: most }, (_, i) => places[Math.round((i * (places.length - 1)) / (most - 1))]!);
}
