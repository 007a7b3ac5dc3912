// The first view: what the swarm does, and what waits for what.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RecordedExperiment } from '../../../shared/api/experiment.ts';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import type { StatusAnswer } from '../../../shared/api/statusAnswer.ts';
import { Chart } from '../design/chart.browser.tsx';
import { Card, Facts, Progress, Table } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { bytes, count, duration, numberWords } from '../words/statusWords.ts';
import type { Rates } from '../owner/rates.ts';
import { metricsWords, RunTable } from '../run/runTable.browser.tsx';
import { ExperimentTable } from '../tuning/experimentTable.browser.tsx';
import { addressOf, type ViewProps } from '../owner/view.ts';

const words = dashboardEn.overview;

const SHOWN_RUNS = 8;

/** Figures, what goes on and what it waits for, the last runs, experiments and applications. */
export function Overview({ look, rates }: ViewProps): JSX.Element {
  const { status } = look;
  const { runs, experiments, applications } = status;
  return (
    <>
      <Swarm look={look} rates={rates} />
      <Card title={words.now} id="now-title">
        <Now status={status} rates={rates} />
      </Card>
      <Card title={words.lastRuns} id="runs-title">
        <RunTable runs={runs.slice(-SHOWN_RUNS)} />
        {runs.length > SHOWN_RUNS && (
          <p class="more">
            <a href={addressOf('runs')}>{words.allRuns(count(runs.length))}</a>
          </p>
        )}
      </Card>
      {experiments.length > 0 && (
        <Card title={words.experiments} id="experiments-title">
          <ExperimentTable experiments={experiments} />
        </Card>
      )}
      {applications.length > 0 && (
        <Card title={words.applications} id="applications-title">
          <Table
            head={[words.name, words.route, words.status]}
            rows={applications.map(({ name, routePrefix, status: word }) => [name, routePrefix, word])}
          />
        </Card>
      )}
    </>
  );
}

function Swarm({ look: { status, workers }, rates }: Pick<ViewProps, 'look' | 'rates'>): JSX.Element {
  const away = workers.filter(({ present }) => !present).length;
  const idle = workers.filter((one) => one.present && one.runId === undefined && one.programs === 0).length;
  const remarks = [...(idle > 0 ? [words.idle(idle)] : []), ...(away > 0 ? [words.away(away)] : [])];
  const perSecond = (key: 'receivedBytes' | 'sentBytes'): string =>
    `${bytes(rates.traffic(key).at(-1)?.value ?? 0)}/s`;
  const lines = [
    { name: words.sent, points: rates.traffic('sentBytes') },
    { name: words.received, points: rates.traffic('receivedBytes') },
  ];
  return (
    <section class="card" aria-label={dashboardEn.titles.overview}>
      <Facts
        facts={[
          { term: words.workers, value: [count(workers.length), ...remarks].join(', ') },
          { term: words.running, value: count(status.runs.filter((run) => run.status === 'running').length) },
          { term: words.sent, value: perSecond('sentBytes') },
          { term: words.received, value: perSecond('receivedBytes') },
          { term: words.uptime, value: duration(status.uptimeMs) },
        ]}
      />
      {workers.length === 0 && <p class="note hint">{words.noWorkers}</p>}
      <CopyLink link={status.joinUrl} />
      <details class="traffic">
        <summary>{words.traffic}</summary>
        <p class="note">{words.trafficNote}</p>
        <Chart lines={lines} />
      </details>
    </section>
  );
}

/** What goes on, each with how quickly and what it waits for. */
function Now({ status, rates }: { readonly status: StatusAnswer; readonly rates: Rates }): JSX.Element {
  const runs = status.runs.filter((run) => run.status === 'running');
  const experiments = status.experiments.filter((one) => one.status === 'running');
  if (runs.length + experiments.length === 0) return <p class="note">{words.nothingRuns}</p>;
  return (
    <ul class="now" id="now">
      {experiments.map((experiment) => (
        <li key={experiment.experimentId}>
          <strong>{experiment.name}</strong>
          <p class="note">{experimentWords(experiment)}</p>
        </li>
      ))}
      {runs.map((run) => (
        <li key={run.runId}>
          <a href={addressOf('runs', run.runId)}>{run.name}</a>
          <Progress
            fraction={run.rounds / Math.max(1, run.totalRounds)}
            words={words.of(count(run.rounds), count(run.totalRounds))}
          />
          <p class="note">{runWords(run, rates.roundsPerSecond(run.runId))}</p>
          {run.waiting !== undefined && <p class="waits">{run.waiting}</p>}
        </li>
      ))}
    </ul>
  );
}

function runWords(run: RunSummary, rate: number | undefined): string {
  const goesOn = run.waiting === undefined && rate !== undefined && rate > 0;
  return [
    words.workersOf(run.workers.length),
    ...(goesOn ? [words.roundsASecond(numberWords(rate))] : []),
    ...(goesOn ? [words.left(duration(((run.totalRounds - run.rounds) / rate) * 1000))] : []),
    metricsWords(run.lastMetrics),
  ]
    .filter((piece) => piece !== '')
    .join(' · ');
}

function experimentWords({ trials, trialCount, metric, mode }: RecordedExperiment): string {
  const ended = trials.filter((trial) => trial.status === 'finished' || trial.status === 'errored').length;
  const scores = trials.flatMap((trial) => (trial.bestScore === undefined ? [] : [trial.bestScore]));
  const best = mode === 'min' ? Math.min(...scores) : Math.max(...scores);
  return [
    words.trialsOf(count(ended), count(trialCount)),
    ...(metric !== undefined && scores.length > 0 ? [words.best(metric, numberWords(best))] : []),
  ].join(' · ');
}

function CopyLink({ link }: { readonly link: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="controls">
      <button
        id="copy-link"
        type="button"
        onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true))}
      >
        {isCopied ? words.copied : words.copy}
      </button>
      <button type="button" onClick={() => window.open(link, '_blank', 'noopener')}>
        {dashboardEn.lend}
      </button>
    </div>
  );
}
