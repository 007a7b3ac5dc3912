// A chart of lines with a cursor, drawn while it is in sight: charts below the edge of the screen cost nothing.

import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { lineData } from '../design/chart.browser.tsx';
import type { LineData } from '../design/drawLines.browser.ts';
import type { ChartLine } from './chartModel.ts';

interface PlotProps {
  /** The same array as long as nothing has changed. */
  readonly lines: readonly ChartLine[];
  readonly isLogarithmic: boolean;
  /** Where values are read, on the x axis. */
  readonly place: number | undefined;
  readonly onPlace: (place: number | undefined) => void;
  readonly xWords: (x: number) => string;
  /** Changes with `xWords`. */
  readonly axis: string;
}

interface Drawn {
  setData(data: LineData): void;
  setSize(size: { width: number; height: number }): void;
  setCursor(options: { left: number; top: number }, fireHook?: boolean): void;
  valToPos(value: number, scale: string): number;
  destroy(): void;
}

const HEIGHT = 200;
const NEAR = '600px';

/** Screen readers are told nothing of it: what it shows has to stand beside it. */
export function Plot(props: PlotProps): JSX.Element {
  const { lines, isLogarithmic, place, axis } = props;
  const target = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | undefined>(undefined);
  const isNear = useIsNear(target);
  // What was smoothed lies over what was not.
  const all = useMemo(
    () => [
      ...lines.flatMap(({ name, raw, style }) =>
        raw ? [{ name, points: raw, style: { ...style, isFaint: true } }] : [],
      ),
      ...lines,
    ],
    [lines],
  );
  const data = useMemo(() => (isNear ? lineData(all) : undefined), [all, isNear]);
  const current = useRef({ data, props });
  current.current = { data, props };
  const what = JSON.stringify([all.map(({ name, style }) => [name, style]), isLogarithmic, axis, isNear]);
  useEffect(() => {
    const element = target.current;
    if (!element || !isNear) return undefined;
    let isOver = false;
    const size = (): { width: number; height: number } => ({ width: element.clientWidth, height: HEIGHT });
    const resized = new ResizeObserver(() => drawn.current?.setSize(size()));
    void import('../design/drawLines.browser.ts').then(async ({ drawLines }) => {
      const chart = await drawLines(element, {
        ...size(),
        names: all.map(({ name }) => name),
        styles: all.map(({ style }) => style),
        data: current.current.data ?? [[]],
        isLogarithmic,
        xWords: (x) => current.current.props.xWords(x),
        onCursor: (x) => current.current.props.onPlace(x),
      });
      if (isOver) return chart.destroy();
      drawn.current = chart;
      resized.observe(element);
    });
    return () => {
      isOver = true;
      resized.disconnect();
      drawn.current?.destroy();
      drawn.current = undefined;
    };
  }, [what]);
  useEffect(() => {
    if (data) drawn.current?.setData(data);
  }, [data]);
  useEffect(() => {
    const chart = drawn.current;
    // Outside of the picture uPlot hides it.
    if (chart)
      chart.setCursor({ left: place === undefined ? -10 : chart.valToPos(place, 'x'), top: 0 }, false);
  }, [place, data]);
  return <div ref={target} class="chart" style={{ height: `${HEIGHT}px` }} aria-hidden="true" />;
}

function useIsNear(target: { readonly current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = target.current;
    if (!element) return undefined;
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)?.isIntersecting === true), {
      rootMargin: NEAR,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
