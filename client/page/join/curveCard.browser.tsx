// The learning curve of the run that this tab helps to train.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Chart } from '../design/chart.browser.tsx';
import { mainMetric } from '../../../shared/run/metricNames.ts';
import type { LearningCurve } from '../design/curve.ts';
import { Card } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { numberWords } from '../words/statusWords.ts';
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
  const summary = last ? en.curve.summary(name, numberWords(last.value), String(last.at)) : en.curve.waiting;
  return (
    <figure class="curve">
      <Chart lines={[{ name, points }]} />
      <figcaption id="curve-summary">{summary}</figcaption>
    </figure>
  );
}
