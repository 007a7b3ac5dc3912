// Parallel coordinates: a line a trial through its searched values to its score. What is marked on an axis becomes a filter
// of the table, where it can be written as well.

import type { JSX } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { Canvas, type Drawing, type Spot } from '../design/canvas.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { parallelAxes, type ParallelAxis } from './parallelAxes.ts';
import { BEST, LEFT_OUT, shadeColour, shadeOf } from './shades.browser.ts';
import type { RecordedTrial } from './trials.ts';

const words = dashboardEn.tuning;
const HEIGHT = 300;
const TOP = 34;
const BOTTOM = 14;
const LEFT = 20;
const RIGHT = 72;
const AXIS_PIXELS = 92;
const NEAR_AXIS_PIXELS = 36;
const CLICK_PIXELS = 4;
const MAX_TEXT = 11;

interface ParallelPlotProps {
  readonly trials: readonly RecordedTrial[];
  readonly paths: readonly string[];
  readonly found: ReadonlySet<number>;
  readonly strengths: ReadonlyMap<number, number>;
  readonly scoreTitle: string;
  /** Comparisons for a column; none takes away those that it has. */
  readonly onMark: (key: string, comparisons: readonly string[]) => void;
}

interface Mark {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

export function ParallelPlot(props: ParallelPlotProps): JSX.Element | null {
  const { trials, paths, found, strengths, scoreTitle, onMark } = props;
  const [mark, setMark] = useState<Mark>();
  const axes = useMemo(() => parallelAxes(trials, paths, scoreTitle), [trials, paths, scoreTitle]);
  const draw = useCallback(
    (drawing: Drawing): void => {
      drawTrials(drawing, axes, trials, found, strengths);
      drawAxisLines(drawing, axes);
      if (mark) drawMark(drawing, axes, mark);
    },
    [axes, trials, found, strengths, mark],
  );
  if (axes.length < 2) return null;
  const markAt = ({ x, y }: Spot, width: number): Mark | undefined => {
    const axis = axes.findIndex((_, i) => Math.abs(axisX(i, axes.length, width) - x) < NEAR_AXIS_PIXELS);
    return axis === -1 ? undefined : { axis, from: y, to: y };
  };
  const finish = (): void => {
    const axis = mark && axes[mark.axis];
    setMark(undefined);
    if (!mark || !axis) return;
    const [low, high] = [placeAt(Math.max(mark.from, mark.to)), placeAt(Math.min(mark.from, mark.to))];
    const isClick = Math.abs(mark.from - mark.to) < CLICK_PIXELS;
    onMark(axis.key, isClick ? [] : axis.between(low, high));
  };
  return (
    <figure class="plot">
      <Canvas
        id="parallel"
        label={words.parallelLabel(axes.map(({ title }) => title))}
        height={HEIGHT}
        minWidth={LEFT + RIGHT + (axes.length - 1) * AXIS_PIXELS}
        draw={draw}
        onDown={(spot, width) => setMark(markAt(spot, width))}
        onMove={(spot) => {
          if (mark && spot) setMark({ ...mark, to: spot.y });
          else if (mark) finish();
        }}
        onUp={finish}
      />
      <figcaption class="note">{words.parallelNote}</figcaption>
    </figure>
  );
}

function axisX(axis: number, axes: number, width: number): number {
  return LEFT + (axis * (width - LEFT - RIGHT)) / Math.max(1, axes - 1);
}

const yOf = (place: number): number => HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM);
const placeAt = (y: number): number => (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM);

function drawTrials(
  { context, width, palette }: Drawing,
  axes: readonly ParallelAxis[],
  trials: readonly RecordedTrial[],
  found: ReadonlySet<number>,
  strengths: ReadonlyMap<number, number>,
): void {
  const lines = trials
    .map((trial) => ({ shade: shadeOf(trial.number, found, strengths), trial }))
    .sort((a, b) => a.shade - b.shade);
  const across = axes.map((_, i) => axisX(i, axes.length, width));
  let drawn: number | undefined;
  const stroke = (): void => context.stroke();
  for (const { shade, trial } of lines) {
    if (shade !== drawn) {
      if (drawn !== undefined) stroke();
      drawn = shade;
      context.strokeStyle = shadeColour(palette, shade);
      context.globalAlpha = shade === LEFT_OUT ? 0.5 : 0.8;
      context.lineWidth = shade === BEST ? 2.5 : 1;
      context.beginPath();
    }
    let isOpen = false;
    for (const [i, axis] of axes.entries()) {
      const place = axis.place(trial);
      if (place === undefined) isOpen = false;
      else if (isOpen) context.lineTo(across[i]!, yOf(place));
      else context.moveTo(across[i]!, yOf(place));
      isOpen = place !== undefined;
    }
  }
  if (drawn !== undefined) stroke();
  context.globalAlpha = 1;
}

function drawAxisLines({ context, width, palette }: Drawing, axes: readonly ParallelAxis[]): void {
  context.lineWidth = 1;
  for (const [i, { title, ticks }] of axes.entries()) {
    const x = Math.round(axisX(i, axes.length, width)) + 0.5;
    context.strokeStyle = palette.quiet;
    context.beginPath();
    context.moveTo(x, yOf(0));
    context.lineTo(x, yOf(1));
    context.stroke();
    context.textAlign = i === 0 ? 'left' : 'center';
    context.textBaseline = 'alphabetic';
    context.fillStyle = palette.ink;
    context.fillText(shortened(title), i === 0 ? x - 8 : x, 14);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    let lastY = Infinity;
    for (const { place, text } of ticks.toSorted((a, b) => a.place - b.place)) {
      const y = yOf(place);
      if (lastY - y < 14) continue;
      lastY = y;
      // Over the lines, and read all the same.
      context.lineWidth = 3;
      context.strokeStyle = palette.card;
      context.strokeText(shortened(text), x + 5, y);
      context.lineWidth = 1;
      context.fillStyle = palette.quiet;
      context.fillText(shortened(text), x + 5, y);
    }
  }
}

function drawMark({ context, width, palette }: Drawing, axes: readonly ParallelAxis[], mark: Mark): void {
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  const x = axisX(mark.axis, axes.length, width);
  context.strokeRect(x - 8, Math.min(mark.from, mark.to), 16, Math.abs(mark.to - mark.from));
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
