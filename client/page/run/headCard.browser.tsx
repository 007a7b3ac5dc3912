// How a run stands: its progress, what it waits for, and the button that stops it.

import type { JSX } from 'preact';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import { Facts, Progress } from '../design/parts.browser.tsx';
import { runEn as words } from '../words/runEn.ts';
import { count, duration, numberWords } from '../words/statusWords.ts';
import { runPath, type Act, type Api } from '../owner/api.browser.ts';
import type { ShownRun } from './useRunHistories.browser.ts';

interface HeadCardProps {
  readonly api: Api;
  readonly act: Act;
  /** Newer than that of `shown`, where it is listed. */
  readonly summary: RunSummary;
  readonly shown: ShownRun;
}

export function HeadCard({ api, act, summary, shown: { config, history } }: HeadCardProps): JSX.Element {
  const isRunning = summary.status === 'running';
  const { pace, loading } = history;
  const loads = loading && words.loading(count(loading.rowsLoaded), count(loading.rowsTotal));
  const { error } = summary;
  return (
    <section class="card" aria-labelledby="run-title">
      <h2 id="run-title">{summary.name}</h2>
      <p class="note">
        {error ? `${error.code}: ${error.message}` : (loads ?? summary.waiting ?? summary.status)}
      </p>
      <Progress
        fraction={summary.rounds / Math.max(1, summary.totalRounds)}
        words={words.of(count(summary.rounds), count(summary.totalRounds))}
      />
      <Facts
        facts={[
          ...(isRunning ? [{ term: words.workers, value: count(summary.workers.length) }] : []),
          { term: words.generation, value: count(summary.generation) },
          ...(pace === undefined ? [] : [{ term: words.rate, value: numberWords(pace) }]),
          { term: words.started, value: timeWords(config.startedAtMs) },
          {
            term: words.took,
            value: duration((isRunning ? Date.now() : endOf(config, history)) - config.startedAtMs),
          },
        ]}
      />
      {isRunning && (
        <div class="controls">
          <button
            id="stop-run"
            type="button"
            title={words.stopNote}
            onClick={() => act(api.post(runPath(summary.runId, '/stop'), {}))}
          >
            {words.stop}
          </button>
        </div>
      )}
    </section>
  );
}

/** A run that ended while it was shown was not over when it was read. */
export function endOf(config: ShownRun['config'], history: ShownRun['history']): number {
  return config.endedAtMs ?? history.events.at(-1)?.atMs ?? history.recent.at(-1)?.atMs ?? config.startedAtMs;
}

/** By the clock of the browser. */
export function timeWords(atMs: number): string {
  return new Date(atMs).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' });
}
