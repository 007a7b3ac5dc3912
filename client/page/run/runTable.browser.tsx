// Runs, each with how far it has come.

import type { JSX } from 'preact';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { runEn } from '../words/runEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { addressOf } from '../owner/view.ts';
import { Scroll } from '../design/parts.browser.tsx';

const words = dashboardEn.overview;

interface RunTableProps {
  readonly runs: readonly RunSummary[];
  /** Ids of those that are ticked; without it none can be. */
  readonly picked?: ReadonlySet<string>;
  readonly onPick?: (runId: string) => void;
}

/** The newest first. */
export function RunTable({ runs, picked, onPick }: RunTableProps): JSX.Element {
  if (runs.length === 0) return <p class="note">{words.noRuns}</p>;
  return (
    <Scroll>
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
                {picked && (
                  <input
                    type="checkbox"
                    class="pick"
                    aria-label={runEn.compare.pick(run.name)}
                    checked={picked.has(run.runId)}
                    onChange={() => onPick?.(run.runId)}
                  />
                )}
                <a href={addressOf('runs', run.runId)}>{run.name}</a>
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
    </Scroll>
  );
}

/** The first few. */
export function metricsWords(metrics: RunSummary['lastMetrics'] = {}): string {
  return Object.entries(metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${numberWords(value)}`)
    .join(', ');
}
