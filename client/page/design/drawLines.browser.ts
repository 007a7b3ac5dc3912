// Lines on a canvas, in the colours of the page.

/// <reference types="vite/client" />

import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** Numbers of the x axis, then those of each line; null where a line has no point. */
export type LineData = [number[], ...(number | null)[][]];

export interface LineStyle {
  /** Which of the colours of lines; those beyond the last begin anew. */
  readonly colour: number;
  /** Lengths of strokes and gaps; a full line without it. */
  readonly dash?: readonly number[];
  /** Behind the others. */
  readonly isFaint?: boolean;
}

interface LineOptions {
  readonly width: number;
  readonly height: number;
  readonly names: readonly string[];
  readonly data: LineData;
  readonly isLogarithmic: boolean;
  /** One a line; by their order without them. */
  readonly styles?: readonly LineStyle[];
  /** Numbers of the x axis in words. */
  readonly xWords?: (x: number) => string;
  /** Told of the place below the pointer, and of none when it leaves. Without it there is no cursor. */
  readonly onCursor?: (x: number | undefined) => void;
}

/** uPlot's enum is of types alone: 3 is a logarithmic axis. */
const logarithmic = Object.fromEntries([
  ['distr', 3],
  ['log', 10],
]) as uPlot.Scale;

/** Custom properties that have the colours of lines, in their order. */
const colours = ['--chart-1', '--chart-2', '--chart-3', '--chart-4', '--chart-5', '--chart-6'];

/** The custom property with the colour of a line. */
function lineColour(line: number): string {
  return colours[line % colours.length]!;
}

/** uPlot asks for the format of numbers when it is loaded, and breaks where the browser names a language that is none. */
async function loadPlot(): Promise<typeof uPlot> {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
  return (await import('uplot')).default;
}

/** Draws the lines into an element. */
export async function drawLines(
  target: HTMLElement,
  { width, height, names, data, isLogarithmic, styles, xWords, onCursor }: LineOptions,
): Promise<uPlot> {
  const Plot = await loadPlot();
  // Colours are asked for at each drawing: the system's theme may change.
  const colour = (variable: string) => (): string =>
    getComputedStyle(target).getPropertyValue(variable).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--chart-ink'),
    grid: { stroke: colour('--chart-line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const lines = names.map((label, i): uPlot.Series => ({
    label,
    stroke: colour(lineColour(styles?.[i]?.colour ?? i)),
    width: styles?.[i]?.isFaint === true ? 1 : 2,
    alpha: styles?.[i]?.isFaint === true ? 0.35 : 1,
    dash: [...(styles?.[i]?.dash ?? [])],
    points: { show: false },
    spanGaps: true,
  }));
  return new Plot(
    {
      width,
      height,
      scales: { x: { time: false }, y: isLogarithmic ? logarithmic : {} },
      axes: [
        { ...axis, ...(xWords && { values: (_plot, places) => places.map(xWords) }) },
        { ...axis, size: 64 },
      ],
      series: [{}, ...lines],
      legend: { show: false },
      cursor: onCursor
        ? { y: false, points: { show: false }, drag: { x: false, y: false } }
        : { show: false },
      hooks: onCursor
        ? {
            setCursor: [
              ({ cursor, data: [places] }) =>
                onCursor(typeof cursor.idx === 'number' ? places[cursor.idx] : undefined),
            ],
          }
        : {},
    },
    data,
    target,
  );
}
