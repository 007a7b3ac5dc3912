// Progress in words: how far a run is, and the lines that stay.

import { formatCount, formatDuration, formatMetrics, formatShort } from './formatNumbers.ts';
import type { ProgressEvent } from './progressEvent.ts';
import { meanRoundMs, rowsPerSecond, type ProgressState, type ProgressWorker } from './progressState.ts';

const BAR_CELLS = 16;
/** With more rounds than this, only some of them get a line of their own. */
const MAX_ROUND_LINES = 25;

/**
 * How far a run is, piece by piece; empty ones have nothing to say.
 * @param metrics in words, where they are to be among the pieces.
 */
export function livePieces(state: ProgressState, metrics = ''): string[] {
  switch (state.phase) {
    case 'preparing':
      return ['preparing', bar(state.rows, state.rowsTotal), rowsOf(state)];
    case 'waiting':
      return [waitingWords(state.reason)];
    case 'loading':
      return ['loading', bar(state.rows, state.rowsTotal), rowsOf(state), workersInWords(state)];
    case 'training':
      break;
  }
  const perRound = meanRoundMs(state);
  const speed = rowsPerSecond(state);
  return [
    state.roundsTotal > 0
      ? `${state.roundWord} ${state.roundsDone}/${state.roundsTotal}`
      : `${state.roundWord} ${state.roundsDone}`,
    bar(state.roundsDone, state.roundsTotal),
    timeLeft(state, perRound),
    metrics,
    perRound === undefined ? '' : paceWords(perRound, state.roundWord),
    speed === undefined ? '' : `${formatShort(speed)} rows/s`,
    workersInWords(state),
    state.lost === 0 ? '' : `${state.lost} lost`,
    state.generation > 1 ? `generation ${state.generation}` : '',
  ];
}

function timeLeft({ roundsTotal, roundsDone }: ProgressState, perRoundMs: number | undefined): string {
  if (perRoundMs === undefined || roundsTotal < roundsDone || roundsTotal === 0) return '';
  return `${formatDuration(perRoundMs * (roundsTotal - roundsDone))} left`;
}

function paceWords(perRoundMs: number, word: string): string {
  const perSecond = 1000 / perRoundMs;
  if (perSecond < 1) return `${formatDuration(perRoundMs)} a ${word}`;
  return Number.isFinite(perSecond) ? `${formatShort(perSecond)} ${word}s/s` : '';
}

/**
 * Lines that an event leaves behind.
 * @param before the state before the event, and `state` after it.
 */
export function stayingLines(before: ProgressState, state: ProgressState, event: ProgressEvent): string[] {
  const prepared = before.phase === 'preparing' && state.phase !== 'preparing' && before.rows > 0;
  return [
    ...(prepared ? [`prepared ${formatCount(before.rows)} rows`] : []),
    ...eventLines(before, state, event),
  ];
}

function eventLines(before: ProgressState, state: ProgressState, event: ProgressEvent): string[] {
  switch (event.type) {
    case 'preparing':
    case 'planned':
    case 'loading':
    case 'checkpoint':
    case 'profiled':
      return [];
    case 'waiting':
      return before.phase === 'waiting' && before.reason === event.reason ? [] : [waitingWords(event.reason)];
    case 'group':
      return [
        `generation ${event.generation}: ${event.workers.length} ${event.workers.length === 1 ? 'worker' : 'workers'}`,
        ...event.workers.map(workerLine),
        ...(event.note === undefined ? [] : [`  ${event.note}`]),
      ];
    case 'round':
      return isShown(before.roundsDone, state.roundsDone, state.roundsTotal) ? [roundLine(state)] : [];
    case 'workerLost':
      return [
        `lost worker ${event.workerId}: ${event.reason}; ${formatCount(event.shards)} of its shards go to others`,
      ];
    case 'undone':
      return [`back to ${state.roundWord} ${event.rounds}: ${event.reason}`];
    case 'workerJoined':
      return [`worker ${event.workerId} joined`];
  }
  return [];
}

/** Reasons are sentences that may say themselves that something is waited for. */
function waitingWords(reason: string): string {
  return /^waiting\b/i.test(reason) ? `w${reason.slice(1)}` : `waiting: ${reason}`;
}

function roundLine(state: ProgressState): string {
  const total = String(state.roundsTotal);
  const took = state.roundMs.at(-1);
  return [
    state.roundsTotal > 0
      ? `${state.roundWord} ${String(state.roundsDone).padStart(total.length)}/${total}`
      : `${state.roundWord} ${state.roundsDone}`,
    formatMetrics(state.metrics),
    took === undefined ? '' : formatDuration(took),
  ]
    .filter((piece) => piece !== '')
    .join('  ');
}

function workerLine({ workerId, runtime, device, rows }: ProgressWorker): string {
  return `  ${workerId}  ${runtime}  ${device}  ${formatCount(rows)} rows`;
}

/**
 * Where the total is not known, nine lines for each power of ten.
 * @param before rounds that were told before: steps of a net come several at a time.
 */
function isShown(before: number, round: number, total: number): boolean {
  const every =
    total > 0 ? Math.ceil(total / MAX_ROUND_LINES) : 10 ** Math.floor(Math.log10(Math.max(1, round)));
  return before === 0 || round === total || Math.floor(round / every) > Math.floor(before / every);
}

function workersInWords(state: ProgressState): string {
  if (state.workers.length === 0) return '';
  return state.workers.length === 1 ? '1 worker' : `${state.workers.length} workers`;
}

function rowsOf(state: ProgressState): string {
  const total = state.rowsTotal === undefined ? '' : ` of ${formatCount(state.rowsTotal)}`;
  return `${formatCount(state.rows)}${total} rows`;
}

function bar(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return '';
  const full = Math.min(BAR_CELLS, Math.floor((done / total) * BAR_CELLS));
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}]`;
}
