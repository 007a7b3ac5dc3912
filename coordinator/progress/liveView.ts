// A run on a few lines of a terminal: how far it is, its metrics with their curves, and what each worker does.

import { alignColumns } from '../../shared/text/alignColumns.ts';
import { columnsOf, cutColumns, padColumns } from '../../shared/text/textColumns.ts';
import { isOfHeldOutRows } from '../../shared/run/metricNames.ts';
import type { RoundTiming } from '../core/run/runRequest.ts';
import { formatCount, formatMetric, formatMetrics, formatMilliseconds } from './formatNumbers.ts';
import type { MetricTrack } from './metricTrack.ts';
import { livePieces } from './progressText.ts';
import type { ProgressState, ProgressWorker } from './progressState.ts';
import { sparkline } from './sparkline.ts';

/** Of what size the terminal is. */
export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

/** With fewer rows than this all is on one line. */
const FEWEST_ROWS = 8;
const MAX_METRICS = 4;
const MAX_WORKERS = 8;
const MAX_NAME_COLUMNS = 24;
const MAX_DEVICE_COLUMNS = 28;
const MAX_CURVE_CELLS = 32;
const SHARE_CELLS = 8;

/** The lines, not wider and not more than what fits. */
export function liveView(state: ProgressState, { columns, rows }: ViewSize): string[] {
  if (rows < FEWEST_ROWS) return [line(livePieces(state, formatMetrics(state.metrics)), columns)];
  const lines = [line(livePieces(state), columns)];
  if (state.phase === 'preparing' || state.phase === 'waiting') return lines;
  // What stays above must be seen, too.
  const room = Math.floor(rows / 2);
  if (state.phase === 'training') lines.push(...metricLines(state, columns, room - lines.length));
  lines.push(...workerLines(state, room - lines.length));
  return lines.map((text) => cutColumns(text, columns));
}

function line(pieces: readonly string[], columns: number): string {
  return cutColumns(pieces.filter((piece) => piece !== '').join('  '), columns);
}

function metricLines({ tracks, roundWord }: ProgressState, columns: number, most: number): string[] {
  const ordered = [...tracks].sort(
    (a, b) => Number(isOfHeldOutRows(b.name)) - Number(isOfHeldOutRows(a.name)),
  );
  const shown = ordered.slice(0, Math.max(0, Math.min(MAX_METRICS, most)));
  const cells = Math.min(MAX_CURVE_CELLS, Math.floor(columns / 4));
  return alignColumns(
    shown.map((track) => [
      cutColumns(track.name, MAX_NAME_COLUMNS),
      padColumns(sparkline(curveValues(track), cells), Math.min(cells, track.curve.length)),
      formatMetric(track.last),
      track.best === undefined
        ? ''
        : `best ${formatMetric(track.best.value)} in ${roundWord} ${formatCount(track.best.round)}`,
    ]),
  ).lines;
}

function curveValues({ curve }: MetricTrack): number[] {
  return curve.map(({ value }) => value);
}

function workerLines({ workers, timings }: ProgressState, room: number): string[] {
  const most = Math.min(MAX_WORKERS, room);
  if (most < 1) return [];
  const isCut = workers.length > most;
  const shown = workers.slice(0, isCut ? Math.max(1, most - 1) : most);
  const { lines } = alignColumns(shown.map((worker) => workerCells(worker, timings)));
  const more = workers.length - shown.length;
  return more > 0 && lines.length < most ? [...lines, `and ${formatCount(more)} more`] : lines;
}

function workerCells(
  { workerId, runtime, device, rows }: ProgressWorker,
  timings: readonly RoundTiming[],
): string[] {
  const timing = timings.find((one) => one.workerId === workerId);
  const cut = cutColumns(device, MAX_DEVICE_COLUMNS);
  return [
    workerId,
    runtime,
    columnsOf(cut) === 0 ? '-' : cut,
    `${formatCount(rows)} rows`,
    ...workWords(timing),
  ];
}

/** Computing as the full part of a bar. */
function workWords(timing: RoundTiming | undefined): string[] {
  if (timing === undefined) return [];
  const { computeMs, exchangeMs } = timing;
  const share = computeMs + exchangeMs > 0 ? computeMs / (computeMs + exchangeMs) : 0;
  const full = Math.max(0, Math.min(SHARE_CELLS, Math.round(share * SHARE_CELLS)));
  return [
    '█'.repeat(full) + '░'.repeat(SHARE_CELLS - full),
    `computing ${formatMilliseconds(computeMs)}, exchange ${formatMilliseconds(exchangeMs)}`,
  ];
}
