// The curves of one run or of several, with one place at which all are read: by the pointer, or by a slider with the keyboard.

import type { JSX } from 'preact';
import { useCallback, useId, useMemo, useState } from 'preact/hooks';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, duration, numberWords } from '../words/statusWords.ts';
import {
  chartsOf,
  pointAt,
  rangeOf,
  tablePlaces,
  type Axis,
  type ChartLine,
  type ChartModel,
} from './chartModel.ts';
import { LineKey } from './lineKey.browser.tsx';
import { Plot } from './plot.browser.tsx';
import type { ShownRun } from './useRunHistories.browser.ts';

const words = runEn.curves;
const TABLE_ROWS = 16;
/** Of the slider, from the first point to the last. */
const STEPS = 512;

interface CurvesCardProps {
  readonly runs: readonly ShownRun[];
  /** Names in the legend. */
  readonly names: readonly string[];
  readonly version: number;
  readonly isCompared: boolean;
}

export function CurvesCard({ runs, names, version, isCompared }: CurvesCardProps): JSX.Element {
  const [weight, setWeight] = useState(0);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const [axis, setAxis] = useState<Axis>('round');
  const [place, setPlace] = useState<number>();
  const charts = useMemo(
    () =>
      chartsOf(
        runs.map(({ history, config }, at) => ({
          name: names[at] ?? '',
          startedAtMs: config.startedAtMs,
          history,
        })),
        { axis, weight, isCompared },
      ),
    [version, runs.length, names.join(), axis, weight, isCompared],
  );
  const xWords = useCallback(
    (x: number) => (axis === 'round' ? words.atRound(count(x)) : duration(1000 * x)),
    [axis],
  );
  const tickWords = useCallback((x: number) => (axis === 'round' ? count(x) : duration(1000 * x)), [axis]);
  if (charts.length === 0) {
    return (
      <Card title={words.title} id="curves-title">
        <p class="note">{words.none}</p>
      </Card>
    );
  }
  return (
    <Card title={words.title} id="curves-title">
      <div class="metric curve-options">
        <label>
          {words.smoothing}{' '}
          <input
            id="smoothing"
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={weight}
            onInput={({ currentTarget }) => setWeight(currentTarget.valueAsNumber)}
          />
        </label>
        <label class="check">
          <input
            id="logarithmic"
            type="checkbox"
            checked={isLogarithmic}
            onChange={({ currentTarget }) => setLogarithmic(currentTarget.checked)}
          />
          <span>{words.logarithmic}</span>
        </label>
        <label>
          {words.axis}{' '}
          <select
            id="axis"
            value={axis}
            onChange={({ currentTarget }) => {
              setAxis(currentTarget.value as Axis);
              setPlace(undefined);
            }}
          >
            <option value="round">{words.round}</option>
            <option value="time">{words.time}</option>
          </select>
        </label>
        <Reading
          charts={charts}
          place={place}
          onPlace={setPlace}
          xWords={xWords}
          isWhole={axis === 'round'}
        />
      </div>
      <div class="charts">
        {charts.map((chart) => (
          <figure key={chart.title} class="curve">
            <figcaption>{chart.title}</figcaption>
            <Plot
              lines={chart.lines}
              isLogarithmic={isLogarithmic}
              place={place}
              onPlace={setPlace}
              xWords={tickWords}
              axis={axis}
            />
            <ul class="line-keys">
              {chart.lines.map((line) => (
                <li key={line.name}>
                  <LineKey style={line.style} />
                  <span>{line.name}</span>
                  <b>{valueWords(line, place)}</b>
                </li>
              ))}
            </ul>
          </figure>
        ))}
      </div>
      <ValueTable
        charts={charts}
        tickWords={tickWords}
        placeTitle={axis === 'round' ? words.place : words.placeTime}
      />
    </Card>
  );
}

function valueWords({ points }: ChartLine, place: number | undefined): string {
  const point = place === undefined ? points.at(-1) : pointAt(points, place);
  return point ? numberWords(point.value) : '–';
}

interface ReadingProps {
  readonly charts: readonly ChartModel[];
  readonly place: number | undefined;
  readonly onPlace: (place: number | undefined) => void;
  readonly xWords: (x: number) => string;
  /** Places between whole numbers are none. */
  readonly isWhole: boolean;
}

/** A native slider: arrow keys, page keys, Home and End move it, and its words are read out. */
function Reading({ charts, place, onPlace, xWords, isWhole }: ReadingProps): JSX.Element | null {
  const id = useId();
  const { from, to } = rangeOf(charts) ?? { from: 0, to: 0 };
  if (to <= from) return null;
  const steps = isWhole ? Math.min(STEPS, to - from) : STEPS;
  const lines = charts.flatMap((chart) => chart.lines);
  const values = lines.map((line) => `${line.name} ${valueWords(line, place)}`).join(', ');
  const at = place === undefined ? words.off : xWords(place);
  return (
    <span class="reading">
      <label for={id}>{words.read}</label>
      <input
        id={id}
        class="read-at"
        type="range"
        min={0}
        max={steps}
        value={place === undefined ? steps : Math.round(((place - from) / (to - from)) * steps)}
        aria-valuetext={words.readout(at, values)}
        onInput={({ currentTarget: { valueAsNumber } }) => {
          const next = from + (valueAsNumber / steps) * (to - from);
          onPlace(isWhole ? Math.round(next) : next);
        }}
      />
      <output>{at}</output>
    </span>
  );
}

interface ValueTableProps {
  readonly charts: readonly ChartModel[];
  readonly tickWords: (x: number) => string;
  readonly placeTitle: string;
}

/** What the charts show, for those who do not see them. It is made when it is opened. */
function ValueTable({ charts, tickWords, placeTitle }: ValueTableProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const lines = charts.flatMap(({ title, lines: own }) => own.map((line) => ({ title, line })));
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{words.table}</summary>
      {isOpen && (
        <Scroll>
          <table id="values">
            <thead>
              <tr>
                <th scope="col">{placeTitle}</th>
                {lines.map(({ title, line: { name } }) => (
                  <th key={`${title}/${name}`} scope="col" class="number">
                    {name === title || name.endsWith(title) ? name : `${title}, ${name}`}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {tablePlaces(charts, TABLE_ROWS).map((at) => (
                <tr key={at}>
                  <th scope="row">{tickWords(at)}</th>
                  {lines.map(({ title, line }) => (
                    <td key={`${title}/${line.name}`} class="number">
                      {valueWords(line, at)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  );
}
