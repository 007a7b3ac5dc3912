// One run: its curves, who works for it and how quick they are, and what happened.

import type { JSX } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { ReportedEvent, RunSummary } from '../../../shared/api/runAnswers.ts';
import { Throttle } from '../../../shared/throttle.ts';
import { Chart } from '../design/chart.browser.tsx';
import { mainMetric } from '../../../shared/run/metricNames.ts';
import { LearningCurve } from '../design/curve.ts';
import { Card, Facts, Progress } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { bytes, count, numberWords } from '../words/statusWords.ts';
import { ConfusionCard } from './confusionCard.browser.tsx';
import { ApiError, type Act, type Api } from './api.browser.ts';
import type { ViewProps } from './view.ts';
import { eventWords } from './eventWords.ts';
import { bestPoint, smoothed } from './smooth.ts';

const words = dashboardEn.run;
/** Lines of what happened that are kept; older ones go. */
const MAX_LINES = 500;
const DRAW_EVERY_MS = 250;
/** Over so many rounds the pace is measured. */
const PACE_ROUNDS = 50;

type Timing = Extract<ReportedEvent, { type: 'round' }>['timings'][number];

interface Story {
  readonly curve: LearningCurve;
  readonly lines: string[];
  readonly times: { round: number; atMs: number }[];
  timings: Timing[];
}

const newStory = (): Story => ({ curve: new LearningCurve(), lines: [], times: [], timings: [] });

function tell(story: Story, runId: string, event: ReportedEvent): void {
  if (event.type === 'round') {
    story.curve.add(runId, event.round + 1, event.metrics);
    story.timings = event.timings;
    story.times.push({ round: event.round + 1, atMs: performance.now() });
    if (story.times.length > PACE_ROUNDS) story.times.shift();
  }
  const line = eventWords(event);
  if (line === undefined || line === story.lines.at(-1)) return;
  story.lines.push(line);
  if (story.lines.length > MAX_LINES) story.lines.shift();
}

/** Follows the run as long as it is shown. */
export function RunPage({ api, act, look, ids: [runId = ''] }: ViewProps): JSX.Element {
  // Undefined for one that is older than the list of runs.
  const summary = look.status.runs.find((run) => run.runId === runId);
  const story = useRef<Story>(newStory());
  const [, redraw] = useReducer((turn: number) => turn + 1, 0);
  const [problem, setProblem] = useState<string>();
  const [older, setOlder] = useState<RunSummary>();
  useEffect(() => {
    const over = new AbortController();
    const drawing = new Throttle(DRAW_EVERY_MS, () => performance.now());
    story.current = newStory();
    let isPlanned = false;
    const draw = (): void => {
      isPlanned = false;
      drawing.done();
      redraw(undefined);
    };
    const onEvent = (event: ReportedEvent): void => {
      tell(story.current, runId, event);
      if (isPlanned) return;
      isPlanned = true;
      setTimeout(draw, drawing.isDue ? 0 : DRAW_EVERY_MS);
    };
    const explain = (error: unknown): void => {
      if (!over.signal.aborted) setProblem(error instanceof ApiError ? error.message : String(error));
    };
    api.get<RunSummary>(`/api/v1/runs/${encodeURIComponent(runId)}`, over.signal).then(setOlder, explain);
    api.follow(runId, onEvent, over.signal).catch(explain);
    return () => over.abort();
  }, [api, runId]);
  const run = summary ?? older;
  const { curve, lines, timings } = story.current;
  return (
    <>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {run && <Head api={api} act={act} run={run} pace={paceOf(story.current)} />}
      <Curves curve={curve} />
      {timings.length > 0 && <Timings timings={timings} />}
      {run !== undefined && run.status !== 'running' && <ConfusionCard api={api} runId={runId} />}
      <Card title={words.timeline} id="timeline-title">
        {lines.length === 0 ? (
          <p class="note">{words.nothing}</p>
        ) : (
          <ol class="timeline" id="timeline" tabIndex={0} aria-labelledby="timeline-title">
            {lines.toReversed().map((line, i) => (
              <li key={lines.length - i}>{line}</li>
            ))}
          </ol>
        )}
      </Card>
    </>
  );
}

function paceOf({ times }: Story): number | undefined {
  const [first, last] = [times[0], times.at(-1)];
  if (!first || !last || last.atMs - first.atMs < 500) return undefined;
  return ((last.round - first.round) / (last.atMs - first.atMs)) * 1000;
}

interface HeadProps {
  readonly api: Api;
  readonly act: Act;
  readonly run: RunSummary;
  readonly pace: number | undefined;
}

function Head({ api, act, run, pace }: HeadProps): JSX.Element {
  const { overview } = dashboardEn;
  const isRunning = run.status === 'running';
  return (
    <section class="card" aria-labelledby="run-title">
      <h2 id="run-title">{run.name}</h2>
      <p class="note">
        {run.error ? `${run.error.code}: ${run.error.message}` : (run.waiting ?? run.status)}
      </p>
      <Progress
        fraction={run.rounds / Math.max(1, run.totalRounds)}
        words={overview.of(count(run.rounds), count(run.totalRounds))}
      />
      <Facts
        facts={[
          { term: overview.workers, value: count(run.workers.length) },
          { term: words.generation, value: count(run.generation) },
          ...(isRunning && pace !== undefined ? [{ term: words.rate, value: numberWords(pace) }] : []),
        ]}
      />
      {isRunning && (
        <div class="controls">
          <button
            id="stop-run"
            type="button"
            title={words.stopNote}
            onClick={() => act(api.post(`/api/v1/runs/${encodeURIComponent(run.runId)}/stop`, {}))}
          >
            {words.stop}
          </button>
        </div>
      )}
    </section>
  );
}

function Curves({ curve }: { readonly curve: LearningCurve }): JSX.Element {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [weight, setWeight] = useState(0);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const names = curve.names;
  const main = mainMetric(names);
  if (main === undefined) {
    return (
      <Card title={words.curves} id="curves-title">
        <p class="note">{words.noCurve}</p>
      </Card>
    );
  }
  const shown = names.filter((name) => !hidden.has(name));
  const toggle = (name: string): void => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <Card title={words.curves} id="curves-title">
      <Chart
        lines={shown.map((name) => ({ name, points: smoothed(curve.points(name), weight) }))}
        isLogarithmic={isLogarithmic}
      />
      <div class="scroll">
        <table id="metrics">
          <thead>
            <tr>
              <td />
              <th scope="col" class="number">
                {words.last}
              </th>
              <th scope="col" class="number">
                {words.best}
              </th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <th scope="row">
                  <label class="check">
                    <input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
                    <span class={`swatch line-${shown.indexOf(name) % 6}`} aria-hidden="true" />
                    <span>{name}</span>
                  </label>
                </th>
                <td class="number">{pointWords(curve.points(name).at(-1))}</td>
                <td class="number">{pointWords(bestPoint(name, curve.points(name)))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="metric">
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
      </div>
    </Card>
  );
}

function pointWords(point: { readonly at: number; readonly value: number } | undefined): string {
  return point ? words.at(numberWords(point.value), count(point.at)) : '';
}

function Timings({ timings }: { readonly timings: readonly Timing[] }): JSX.Element {
  const ms = (value: number): string => `${numberWords(value)} ms`;
  return (
    <Card title={words.workers} id="timings-title">
      <div class="scroll">
        <table id="timings">
          <thead>
            <tr>
              <th scope="col">{words.worker}</th>
              {[words.compute, words.exchange, words.sent].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {timings.map(({ workerId, computeMs, exchangeMs, bytesSent }) => (
              <tr key={workerId}>
                <td>{workerId}</td>
                <td class="number">{ms(computeMs)}</td>
                <td class="number">{ms(exchangeMs)}</td>
                <td class="number">{bytes(bytesSent)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
