// A chart of lines, drawn by uPlot, which is loaded with the first one.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Point } from './curve.ts';
import type { LineData } from './drawLines.browser.ts';

export interface Line {
  readonly name: string;
  /** In ascending order of their places. */
  readonly points: readonly Point[];
}

interface Drawn {
  setData(data: LineData): void;
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
}

const HEIGHT = 200;

/** The lines over one x axis. */
export function lineData(lines: readonly Line[]): LineData {
  const all = Float64Array.from(lines.flatMap(({ points }) => points.map(({ at }) => at))).sort();
  const places = Array.from(all.filter((at, i) => at !== all[i - 1]));
  const columns = lines.map(({ points }) => {
    let next = 0;
    return places.map((at) => {
      if (points[next]?.at !== at) return null;
      next += 1;
      return points[next - 1]!.value;
    });
  });
  return [places, ...columns];
}

interface ChartProps {
  readonly lines: readonly Line[];
  readonly isLogarithmic?: boolean;
}

/** What it shows has to stand beside it in words: screen readers are told nothing of it. */
export function Chart({ lines, isLogarithmic = false }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | undefined>(undefined);
  const data = useRef<LineData>([[]]);
  data.current = lineData(lines);
  const names = lines.map(({ name }) => name);
  const what = JSON.stringify([names, isLogarithmic]);
  useEffect(() => {
    const target = place.current;
    if (!target) return undefined;
    let isOver = false;
    const size = (): { width: number; height: number } => ({ width: target.clientWidth, height: HEIGHT });
    const resized = new ResizeObserver(() => drawn.current?.setSize(size()));
    void import('./drawLines.browser.ts').then(async ({ drawLines }) => {
      const chart = await drawLines(target, { ...size(), names, data: data.current, isLogarithmic });
      if (isOver) return chart.destroy();
      drawn.current = chart;
      chart.setData(data.current);
      resized.observe(target);
    });
    return () => {
      isOver = true;
      resized.disconnect();
      drawn.current?.destroy();
      drawn.current = undefined;
    };
  }, [what]);
  useEffect(() => drawn.current?.setData(data.current));
  return <div ref={place} class="chart" style={{ height: `${HEIGHT}px` }} aria-hidden="true" />;
}
