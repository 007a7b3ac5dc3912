// The learning curve of the run that this tab helps to train.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Card } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { mainMetric, type LearningCurve, type Point } from './curve.ts';
import type { LendingView } from './lending.browser.ts';

/** The chart, with a choice of what is measured. */
export function CurveCard({ view: { curve } }: { readonly view: LendingView }): JSX.Element {
  const [chosen, choose] = useState<string>();
  const names = curve.names;
  const name = chosen !== undefined && names.includes(chosen) ? chosen : mainMetric(names);
  return (
    <Card title={en.curve.title} id="curve-title">
      {name === undefined ? <p class="note">{en.curve.waiting}</p> : <Curve curve={curve} name={name} />}
      {names.length > 1 && (
        <label class="metric">
          <span>{en.curve.metric}</span>
          <select value={name} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            {names.map((known) => (
              <option key={known}>{known}</option>
            ))}
          </select>
        </label>
      )}
    </Card>
  );
}

function Curve({ curve, name }: { readonly curve: LearningCurve; readonly name: string }): JSX.Element {
  const points = curve.points(name);
  const last = points.at(-1);
  const summary = last ? en.curve.summary(name, valueWords(last.value), String(last.at)) : en.curve.waiting;
  return (
    <figure class="curve">
      <Chart points={points} name={name} />
      <figcaption id="curve-summary">{summary}</figcaption>
    </figure>
  );
}

/** A number with four significant digits. */
const valueWords = (value: number): string => String(Number(value.toPrecision(4)));

interface Drawn {
  setData(data: [number[], number[]]): void;
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
}

const HEIGHT = 180;

/** Drawn on a canvas by uPlot, which is loaded with the first curve. */
function Chart({ points, name }: { readonly points: readonly Point[]; readonly name: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | undefined>(undefined);
  const data = useRef<[number[], number[]]>([[], []]);
  data.current = [points.map(({ at }) => at), points.map(({ value }) => value)];
  useEffect(() => {
    const target = place.current;
    if (!target) return undefined;
    let isOver = false;
    const size = (): { width: number; height: number } => ({ width: target.clientWidth, height: HEIGHT });
    const resized = new ResizeObserver(() => drawn.current?.setSize(size()));
    void import('./drawCurve.browser.ts').then(async ({ drawCurve }) => {
      const chart = await drawCurve(target, { ...size(), name, data: data.current });
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
  }, [name]);
  const last = points.at(-1);
  useEffect(() => drawn.current?.setData(data.current), [last, name]);
  return <div ref={place} class="chart" style={{ height: `${HEIGHT}px` }} aria-hidden="true" />;
}
