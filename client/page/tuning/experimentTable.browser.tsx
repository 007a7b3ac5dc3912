// Tuning experiments, each with how far it has come.

import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { SILENT_MS, type RecordedExperiment } from '../../../shared/api/experiment.ts';
import { DataTable, useTable, type Column } from '../design/dataTable.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { count, duration } from '../words/statusWords.ts';
import { addressOf } from '../owner/view.ts';
import { scoreWords } from './trialColumns.browser.tsx';

const words = dashboardEn.tuning;

const columns: readonly Column<RecordedExperiment>[] = [
  {
    key: 'name',
    title: words.name,
    value: ({ name }) => name,
    cell: ({ experimentId, name }) => <a href={addressOf('tuning', experimentId)}>{name}</a>,
  },
  { key: 'status', title: words.status, value: statusWords },
  {
    key: 'metric',
    title: words.metric,
    value: ({ metric, mode }) => (metric === undefined ? undefined : `${metric} ${mode ?? ''}`.trim()),
  },
  {
    key: 'trials',
    title: words.trials,
    value: ({ trialCount }) => trialCount,
    text: ({ trialCount, counts }) => words.countsOf(count(trialCount), counts ?? {}),
  },
  {
    key: 'best',
    title: words.bestTrial,
    value: ({ best }) => best?.score,
    text: ({ best }) => (best ? words.bestOf(scoreWords(best.score), best.number) : ''),
    isNumber: true,
  },
  {
    key: 'started',
    title: words.started,
    value: ({ startedAtMs }) => startedAtMs,
    text: ({ startedAtMs }) => new Date(startedAtMs).toLocaleString('en'),
  },
];

/** "running", "running, not heard of for 3 min", "stopping", "failed TUNE_METRIC_MISSING". */
export function statusWords({ status, silentMs = 0, errorCode, isStopWished }: RecordedExperiment): string {
  if (status === 'running' && silentMs > SILENT_MS) return words.silent(duration(silentMs));
  if (isStopWished === true) return words.stopping;
  return errorCode === undefined ? status : `${status} ${errorCode}`;
}

/** The newest first. */
export function ExperimentTable(props: { readonly experiments: readonly RecordedExperiment[] }): JSX.Element {
  const { experiments } = props;
  const rows = useMemo(() => experiments.toReversed(), [experiments]);
  const table = useTable(columns, rows);
  if (rows.length === 0) return <p class="note">{words.none}</p>;
  return (
    <DataTable
      id="experiments"
      label={words.experiments}
      table={table}
      keyOf={({ experimentId }) => experimentId}
    />
  );
}
