// Curves over rounds: a line each, with the best point marked.

import {
  axes,
  CHART_WIDTH,
  COLOURS,
  emptyNote,
  heading,
  linePath,
  type Area,
  type Chart,
  type PlotTable,
} from './chart.ts';
import { plotNumber } from './plotNumber.ts';
import { extentOf, linearScale, logScale, type Scale } from './scale.ts';
import { element } from './svgText.ts';
import { thinCurve, type PlotPoint } from './thinCurve.ts';

export interface PlotLine {
  readonly name: string;
  readonly points: readonly PlotPoint[];
  /** Classes instead of the colour of its place. */
  readonly className?: string;
  readonly isDashed?: boolean;
}

export interface LineChartOptions {
  readonly title: string;
  readonly description: string;
  /** Later ones are drawn over earlier ones. */
  readonly lines: readonly PlotLine[];
  readonly xName: string;
  readonly yName?: string;
  readonly isLog?: boolean;
  /** A point to mark with a ring, and what is said of it. */
  readonly mark?: { readonly point: PlotPoint; readonly words: string } | undefined;
  readonly hasLegend?: boolean;
  /** Points a line at most. */
  readonly mostPoints?: number;
  readonly table?: PlotTable;
}

const PLOT_HEIGHT = 230;
const MOST_POINTS = 1200;

export function lineChart({
  title,
  description,
  lines,
  xName,
  yName,
  isLog = false,
  mark,
  hasLegend = true,
  mostPoints = MOST_POINTS,
  table,
}: LineChartOptions): Chart {
  const classed = lines.map((line, i) => ({ ...line, className: line.className ?? lineClass(line, i) }));
  const head = heading(title, hasLegend ? classed : [], mark?.words);
  const top = head.height + (yName === undefined ? 6 : 20);
  const area: Area = { left: 72, right: CHART_WIDTH - 20, top, bottom: top + PLOT_HEIGHT };
  const { x, y } = scalesOf(lines, area, isLog);
  const body = [head.body];
  if (x === undefined || y === undefined) {
    const points = lines.reduce((sum, line) => sum + line.points.length, 0);
    const why = points === 0 ? 'no values' : isLog ? 'no values above zero' : 'no finite values';
    body.push(emptyNote(why, area));
  } else {
    body.push(axes(area, x, y, { x: xName, ...(yName !== undefined && { y: yName }) }));
    for (const { points, className } of classed) {
      const places = thinCurve(points, mostPoints).map((point) => [x.at(point.x), y.at(point.y)] as const);
      body.push(linePath(places, className));
    }
    if (mark !== undefined) body.push(markAt(x.at(mark.point.x), y.at(mark.point.y)));
  }
  return {
    title,
    description,
    height: area.bottom + 46,
    body: body.filter((part) => part !== '').join('\n'),
    ...(table && { table }),
  };
}

function lineClass({ isDashed = false }: PlotLine, place: number): string {
  return `line c${place % COLOURS}${isDashed ? ' dashed' : ''}`;
}

function scalesOf(
  lines: readonly PlotLine[],
  area: Area,
  isLog: boolean,
): { readonly x: Scale | undefined; readonly y: Scale | undefined } {
  const drawn = lines.flatMap(({ points }) =>
    points.filter(({ y }) => Number.isFinite(y) && (!isLog || y > 0)),
  );
  const xs = extentOf(drawn.map((point) => point.x));
  const ys = extentOf(drawn.map((point) => point.y));
  return {
    x: xs && linearScale(xs, area.left + 4, area.right - 4, 8),
    y: ys && (isLog ? logScale : linearScale)(ys, area.bottom - 8, area.top + 8),
  };
}

function markAt(cx: number, cy: number): string {
  if (!Number.isFinite(cx) || !Number.isFinite(cy)) return '';
  return element('circle', { cx, cy, r: 4.5, class: 'mark' });
}

/** "best valid-auc 0.7312 in round 38" */
export function bestWords(name: string, { x, y }: PlotPoint, xName: string): string {
  return `best ${name} ${plotNumber(y)} in ${xName} ${plotNumber(x)}`;
}
