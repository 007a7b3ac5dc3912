// The trials as a table of text: one line a trial, what runs and what is best first.

import { visibleLine } from '../../../kernels/visibleText.ts';
import { alignColumns } from '../../../shared/text/alignColumns.ts';
import { cutColumns } from '../../../shared/text/textColumns.ts';
import { formatDuration } from '../../progress/formatNumbers.ts';
import type { Trial } from '../trial/trial.ts';

export interface TableRow {
  readonly trial: Readonly<Trial>;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface TableOptions {
  /** The metric that is tuned; without one the last of those reported is shown. */
  readonly metric: string | undefined;
  readonly mode: 'max' | 'min' | undefined;
  /** Trials in all; Infinity where there is no end. */
  readonly planned: number;
  readonly width: number;
  /** Most lines for trials. */
  readonly height: number;
  /** Why the next new trial has not begun. */
  readonly queued?: string | undefined;
}

const order: Readonly<Record<Trial['status'], number>> = {
  running: 0,
  waiting: 1,
  paused: 2,
  finished: 3,
  errored: 4,
  pending: 5,
};

export function tableLines(rows: readonly TableRow[], options: TableOptions): string[] {
  const { planned, width, height } = options;
  const count = (status: Trial['status']): number =>
    rows.filter(({ trial }) => trial.status === status).length;
  const parts = (['running', 'waiting', 'paused', 'finished', 'errored'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status}`);
  const of = Number.isFinite(planned) ? ` of ${planned}` : '';
  const sorted = [...rows].sort(
    (a, b) => order[a.trial.status] - order[b.trial.status] || better(a, b, options),
  );
  const shown = sorted.slice(0, height);
  const names = [...new Set(rows.flatMap(({ params }) => Object.keys(params)))];
  const metric =
    options.metric ??
    Object.keys(
      rows.findLast(({ trial }) => trial.reports.length > 0)?.trial.reports.at(-1)?.metrics ?? {},
    ).at(-1);
  const header = [
    'trial',
    'status',
    ...names.map((name) => name.split('.').at(-1) ?? name),
    'iter',
    'time',
    metric ?? '',
    '',
  ];
  const cells = shown.map(({ trial, params }) =>
    rowCells(
      trial,
      names.map((name) => params[name]),
      metric,
    ),
  );
  const lines = [
    `trials: ${rows.length}${of} (${parts.join(', ') || 'none begun'})`,
    ...alignColumns([header, ...cells]).lines,
  ];
  if (sorted.length > shown.length) lines.push(`… ${sorted.length - shown.length} more`);
  if (options.queued !== undefined) lines.push(visibleLine(options.queued));
  return lines.map((line) => cutColumns(line, width));
}

function rowCells(trial: Readonly<Trial>, values: readonly unknown[], metric: string | undefined): string[] {
  const last = trial.reports.at(-1);
  const value = metric === undefined ? undefined : last?.metrics[metric];
  return [
    String(trial.index),
    trial.status,
    ...values.map(shown),
    String(last?.iteration ?? ''),
    last ? formatDuration(last.elapsedMs) : '',
    value === undefined ? '' : shown(value),
    trial.waiting ?? trial.error?.message ?? trial.stopReason ?? '',
  ];
}

function better(a: TableRow, b: TableRow, { metric, mode }: TableOptions): number {
  const score = ({ trial }: TableRow): number => {
    const value = metric === undefined ? undefined : trial.reports.at(-1)?.metrics[metric];
    if (value === undefined || !Number.isFinite(value)) return -Infinity;
    return mode === 'min' ? -value : value;
  };
  const difference = score(b) - score(a);
  return difference === 0 || Number.isNaN(difference) ? a.trial.index - b.trial.index : difference;
}

function shown(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(5)));
  if (typeof value === 'object' && value !== null) return JSON.stringify(value).slice(0, 24);
  return String(value).slice(0, 24);
}
