// The first view: what the swarm does, and what waits for what.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, Facts } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { bytes, count, duration, numberWords } from '../words/statusWords.ts';
import type { RunFacts, StatusFacts, WorkerFacts } from './api.browser.ts';

const words = dashboardEn.overview;

interface OverviewProps {
  readonly status: StatusFacts;
  readonly workers: readonly WorkerFacts[];
}

/** Figures, runs, experiments and applications. */
export function Overview({ status, workers }: OverviewProps): JSX.Element {
  const away = workers.filter(({ present }) => !present).length;
  const sums = Object.values(status.traffic);
  const total = (key: 'sentBytes' | 'receivedBytes'): number =>
    sums.reduce((sum, traffic) => sum + traffic[key], 0);
  const running = status.runs.filter((run) => run.status === 'running').length;
  return (
    <>
      <section class="card" aria-label={dashboardEn.views.overview}>
        <Facts
          facts={[
            { term: words.workers, value: `${workers.length}${away > 0 ? ` (${words.away(away)})` : ''}` },
            { term: words.running, value: count(running) },
            { term: words.uptime, value: duration(status.uptimeMs) },
            { term: words.sent, value: bytes(total('sentBytes')) },
            { term: words.received, value: bytes(total('receivedBytes')) },
          ]}
        />
        {workers.length === 0 && <p class="note hint">{words.noWorkers}</p>}
        <CopyLink link={status.joinUrl} />
      </section>
      <Card title={words.runs} id="runs-title">
        {status.runs.length === 0 ? <p class="note">{words.noRuns}</p> : <Runs runs={status.runs} />}
      </Card>
      {status.experiments.length > 0 && (
        <Card title={words.experiments} id="experiments-title">
          <Table
            head={[words.name, words.status, words.metric, words.trials]}
            rows={status.experiments.map(({ name, status, metric, trials }) => [
              name,
              status,
              metric ?? '',
              String(trials?.length ?? ''),
            ])}
          />
        </Card>
      )}
      {status.applications.length > 0 && (
        <Card title={words.applications} id="applications-title">
          <Table
            head={[words.name, words.route, words.status]}
            rows={status.applications.map(({ name, routePrefix, status }) => [
              name,
              routePrefix ?? '',
              status ?? '',
            ])}
          />
        </Card>
      )}
    </>
  );
}

interface TableProps {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function Table({ head, rows }: TableProps): JSX.Element {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, i) => (
            <tr key={i}>
              {cells.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Runs({ runs }: { readonly runs: readonly RunFacts[] }): JSX.Element {
  return (
    <div class="scroll">
      <table id="runs">
        <thead>
          <tr>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.status}</th>
            <th scope="col">{words.progress}</th>
            <th scope="col">{words.metric}</th>
          </tr>
        </thead>
        <tbody>
          {runs.toReversed().map((run) => (
            <tr key={run.runId}>
              <td>
                <a href={`#/runs/${encodeURIComponent(run.runId)}`}>{run.name}</a>
              </td>
              <td>
                {run.error ? run.error.code : run.status}
                {run.waiting !== undefined && <small class="block">{run.waiting}</small>}
              </td>
              <td class="progress-cell">
                <progress max={Math.max(1, run.totalRounds)} value={run.rounds} aria-label={run.name} />
                {words.of(count(run.rounds), count(run.totalRounds))}
              </td>
              <td>{metricsWords(run.lastMetrics)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function metricsWords(metrics: RunFacts['lastMetrics'] = {}): string {
  return Object.entries(metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${numberWords(value)}`)
    .join(', ');
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
