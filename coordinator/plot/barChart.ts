// Bars that lie on their sides, longest first, each with its name and number.

import { CHART_WIDTH, emptyNote, heading, label, labelWidth, type Chart } from './chart.ts';
import { plotNumber } from './plotNumber.ts';
import { extentOf, linearScale } from './scale.ts';
import { element, escaped } from './svgText.ts';

export interface BarChartOptions {
  readonly title: string;
  readonly description: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
  /** Bars that are drawn at most; the table has all. */
  readonly most: number;
  readonly className?: string;
}

const ROW = 22;
const WIDEST_NAME = 220;
const NUMBER_WIDTH = 80;
const TABLE_ROWS = 1000;

export function barChart({ title, description, bars, most, className = 'bar c0' }: BarChartOptions): Chart {
  const sorted = [...bars].sort((a, b) => order(b.value) - order(a.value));
  const shown = sorted.slice(0, most);
  const { body, height: top } = heading(title);
  const names = Math.min(WIDEST_NAME, Math.max(0, ...shown.map(({ name }) => labelWidth(name))));
  const area = {
    left: 24 + names,
    right: CHART_WIDTH - NUMBER_WIDTH,
    top: top + 4,
    bottom: top + 4 + ROW * Math.max(3, shown.length),
  };
  // From zero, so that lengths compare.
  const [low, high] = extentOf([0, ...shown.map(({ value }) => value)])!;
  const scale = linearScale([low, high === low ? 1 : high], area.left, area.right);
  const parts = shown.map(({ name, value }, i) => {
    const y = area.top + i * ROW;
    const [from, to] = [scale.at(0), scale.at(Number.isFinite(value) ? value : 0)];
    const box = {
      x: Math.min(from, to),
      y: y + 3,
      width: Math.abs(to - from),
      height: ROW - 7,
      class: className,
    };
    const tooltip = element('title', {}, escaped(`${name}: ${plotNumber(value)}`));
    return [
      label(name, area.left - 8, y + 15, { anchor: 'end', width: WIDEST_NAME }),
      element('rect', box, tooltip),
      label(plotNumber(value), Math.max(from, to) + 6, y + 15, {
        className: 'label quiet',
        width: NUMBER_WIDTH,
      }),
    ].join('');
  });
  if (shown.length === 0) parts.push(emptyNote('no values', area));
  const axis = element('line', {
    x1: scale.at(0),
    x2: scale.at(0),
    y1: area.top,
    y2: area.bottom,
    class: 'axis',
  });
  const left = sorted.length - shown.length;
  if (left > 0)
    parts.push(
      label(`and ${plotNumber(left)} more`, area.left, area.bottom + 16, { className: 'label quiet' }),
    );
  return {
    title,
    description,
    height: area.bottom + 28,
    body: [body, axis, ...parts].join('\n'),
    table: {
      columns: ['name', title],
      rows: sorted.slice(0, TABLE_ROWS).map(({ name, value }) => [name, plotNumber(value)]),
      ...(sorted.length > TABLE_ROWS && { note: `The first ${TABLE_ROWS} of ${sorted.length}.` }),
    },
  };
}

/** What is no number comes last. */
function order(value: number): number {
  return Number.isNaN(value) ? -Infinity : value;
}
