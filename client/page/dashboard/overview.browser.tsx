// The first view: what the swarm does, and what waits for what.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, Facts, Table } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { bytes, count, duration } from '../words/statusWords.ts';
import { RunTable } from './runTable.browser.tsx';
import { ExperimentTable } from './tuning/experimentTable.browser.tsx';
import type { ViewProps } from './view.ts';

const words = dashboardEn.overview;

/** Figures, runs, experiments and applications. */
export function Overview({ look: { status, workers } }: ViewProps): JSX.Element {
  const away = workers.filter(({ present }) => !present).length;
  const sums = Object.values(status.traffic);
  const total = (key: 'sentBytes' | 'receivedBytes'): number =>
    sums.reduce((sum, traffic) => sum + traffic[key], 0);
  const running = status.runs.filter((run) => run.status === 'running').length;
  return (
    <>
      <section class="card" aria-label={dashboardEn.titles.overview}>
        <Facts
          facts={[
            {
              term: words.workers,
              value: `${workers.length}${away > 0 ? ` (${words.away(away)})` : ''}`,
            },
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
        <RunTable runs={status.runs} />
      </Card>
      {status.experiments.length > 0 && (
        <Card title={words.experiments} id="experiments-title">
          <ExperimentTable experiments={status.experiments} />
        </Card>
      )}
      {status.applications.length > 0 && (
        <Card title={words.applications} id="applications-title">
          <Table
            head={[words.name, words.route, words.status]}
            rows={status.applications.map(({ name, routePrefix, status }) => [name, routePrefix, status])}
          />
        </Card>
      )}
    </>
  );
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
