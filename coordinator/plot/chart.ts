// What a chart is, and the parts that charts are made of: heading, axes, legend, and a note where there is nothing to draw.

import { columnsOf, cutColumns } from '../../shared/text/textColumns.ts';
import { coordinate, element, escaped } from './svgText.ts';
import { plotNumber } from './plotNumber.ts';
import type { Scale } from './scale.ts';

/** Numbers beside a chart. */
export interface PlotTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the table leaves out. */
  readonly note?: string;
}

export interface Chart {
  readonly title: string;
  /** What is seen, for who does not see it. */
  readonly description: string;
  /** In units of which every chart is CHART_WIDTH wide. */
  readonly height: number;
  /** Elements, with the chart's top left corner at 0, 0. */
  readonly body: string;
  readonly table?: PlotTable;
}

export const CHART_WIDTH = 720;
/** Of the kinds of lines and bars, each with a colour of its own. */
export const COLOURS = 6;
const HEADING_HEIGHT = 34;
const LEGEND_ROW = 20;
/** Mean width of a letter at the size of labels. */
const LETTER_WIDTH = 6.6;
const TITLE_LETTER_WIDTH = 9.5;

/** A rectangle in a chart. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** About how wide a label is. */
export function labelWidth(text: string): number {
  return columnsOf(text) * LETTER_WIDTH;
}

/** A label, cut to a width; the whole of it is its tooltip then. */
export function label(
  text: string,
  x: number,
  y: number,
  { anchor, className = 'label', width = CHART_WIDTH }: LabelOptions = {},
): string {
  const cut = cutColumns(text, Math.max(1, Math.floor(width / LETTER_WIDTH)));
  const tooltip = cut === text ? [] : [element('title', {}, escaped(text))];
  return element('text', { x, y, 'text-anchor': anchor, class: className }, ...tooltip, escaped(cut));
}

interface LabelOptions {
  readonly anchor?: 'end' | 'middle' | undefined;
  readonly className?: string;
  readonly width?: number;
}

/**
 * The chart's title with words at its right, and below it the kinds of what it shows.
 * @returns how high they are.
 */
export function heading(
  title: string,
  kinds: readonly LegendEntry[] = [],
  words = '',
): { readonly body: string; readonly height: number } {
  const aside = cutColumns(words, 60);
  const room = CHART_WIDTH - 52 - labelWidth(aside);
  const text = cutColumns(title, Math.floor(room / TITLE_LETTER_WIDTH));
  const parts = [
    element('text', { x: 16, y: 22, class: 'title' }, escaped(text)),
    ...(aside === ''
      ? []
      : [label(aside, CHART_WIDTH - 20, 22, { anchor: 'end', className: 'label quiet' })]),
  ];
  let x = 16;
  let y = HEADING_HEIGHT + 8;
  for (const { name, className } of kinds) {
    const shown = cutColumns(name, 40);
    const width = 30 + labelWidth(shown) + 16;
    if (x > 16 && x + width > CHART_WIDTH - 16) {
      x = 16;
      y += LEGEND_ROW;
    }
    const line = { x1: x, x2: x + 24, y1: y - 4, y2: y - 4, class: className };
    parts.push(element('line', line), label(shown, x + 30, y));
    x += width;
  }
  return { body: parts.join('\n'), height: kinds.length === 0 ? HEADING_HEIGHT : y + 10 };
}

export interface LegendEntry {
  readonly name: string;
  /** Classes of its line. */
  readonly className: string;
}

/** Lines at the ticks of both axes, with their numbers and the names of the axes. */
export function axes(
  area: Area,
  x: Scale,
  y: Scale,
  names: { readonly x: string; readonly y?: string },
): string {
  const { left, right, top, bottom } = area;
  const lines = [
    ...y.ticks.map((tick) => {
      const at = y.at(tick);
      const number = label(plotNumber(tick), left - 8, at + 4, { anchor: 'end', width: left - 12 });
      return element('line', { x1: left, x2: right, y1: at, y2: at, class: 'grid' }) + number;
    }),
    ...x.ticks.map((tick) => {
      const at = x.at(tick);
      // A number at the right end stays within the chart.
      const half = labelWidth(plotNumber(tick)) / 2;
      const anchor = at + half > CHART_WIDTH - 4 ? 'end' : 'middle';
      return (
        element('line', { x1: at, x2: at, y1: bottom, y2: bottom + 4, class: 'axis' }) +
        label(plotNumber(tick), anchor === 'end' ? CHART_WIDTH - 4 : at, bottom + 18, { anchor })
      );
    }),
    element('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis' }),
    label(names.x, (left + right) / 2, bottom + 36, { anchor: 'middle', className: 'label quiet' }),
  ];
  if (names.y !== undefined)
    lines.push(label(names.y, left, top - 8, { className: 'label quiet', width: right - left }));
  return lines.join('\n');
}

/** What stands where there is nothing to draw. */
export function emptyNote(text: string, { left, right, top, bottom }: Area): string {
  const options = { anchor: 'middle', className: 'label quiet' } as const;
  return label(text, (left + right) / 2, (top + bottom) / 2, options);
}

/** A line through places; one that is no number is a gap, and a place alone between gaps is a dot. */
export function linePath(places: readonly (readonly [x: number, y: number])[], className: string): string {
  const pieces: string[] = [];
  const dots: string[] = [];
  let piece: string[] = [];
  const end = (): void => {
    if (piece.length === 1) dots.push(piece[0]!);
    else if (piece.length > 1) pieces.push(`M${piece.join('L')}`);
    piece = [];
  };
  for (const [x, y] of places) {
    if (Number.isFinite(x) && Number.isFinite(y)) piece.push(`${coordinate(x)} ${coordinate(y)}`);
    else end();
  }
  end();
  const path = pieces.length === 0 ? '' : element('path', { d: pieces.join(''), class: className });
  // A line of no length with round ends.
  return path + dots.map((at) => element('path', { d: `M${at}h0`, class: `${className} dot` })).join('');
}
