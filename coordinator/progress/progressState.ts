// What is known of a run in progress, as a function of its events. No output, no clock of its own.

import type { RoundTiming } from '../core/run/runRequest.ts';
import { afterMetrics, type MetricTrack } from './metricTrack.ts';
import type { ProgressEvent } from './progressEvent.ts';

export interface ProgressWorker {
  readonly workerId: string;
  readonly runtime: string;
  readonly device: string;
  readonly rows: number;
}

export interface ProgressState {
  readonly phase: 'preparing' | 'waiting' | 'loading' | 'training';
  /** 0 where that is not known. */
  readonly roundsTotal: number;
  /** What a round is called. */
  readonly roundWord: 'round' | 'step';
  readonly roundsDone: number;
  /** Of the last round. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of each metric its last and best value, and its curve. */
  readonly tracks: readonly MetricTrack[];
  /** What members computed and exchanged in the last round. */
  readonly timings: readonly RoundTiming[];
  readonly rows: number;
  readonly rowsTotal: number | undefined;
  readonly reason: string;
  readonly generation: number;
  readonly workers: readonly ProgressWorker[];
  readonly lost: number;
  /** How long the last rounds took, newest last, waits for workers not counted. */
  readonly roundMs: readonly number[];
  /** When the round in flight began, or undefined while nothing is computed. */
  readonly roundStartedAt: number | undefined;
  /** Whether rounds are timed by the arrival of events. */
  readonly timed: boolean;
}

const REMEMBERED_ROUNDS = 8;

export function initialProgress(roundsTotal: number, timed: boolean): ProgressState {
  return {
    phase: 'preparing',
    roundsTotal,
    roundWord: 'round',
    roundsDone: 0,
    metrics: {},
    tracks: [],
    timings: [],
    rows: 0,
    rowsTotal: undefined,
    reason: '',
    generation: 0,
    workers: [],
    lost: 0,
    roundMs: [],
    roundStartedAt: undefined,
    timed,
  };
}

/** @param now milliseconds of any monotonic clock, the same in all calls. */
export function afterEvent(state: ProgressState, event: ProgressEvent, now: number): ProgressState {
  switch (event.type) {
    case 'preparing':
      return { ...state, phase: 'preparing', rows: event.rows, rowsTotal: event.rowsTotal };
    case 'planned':
      return { ...state, roundsTotal: event.steps, roundWord: 'step' };
    case 'waiting':
      return { ...state, phase: 'waiting', reason: event.reason, roundStartedAt: undefined };
    case 'loading':
      return {
        ...state,
        phase: event.rowsLoaded < event.rowsTotal ? 'loading' : 'training',
        rows: event.rowsLoaded,
        rowsTotal: event.rowsTotal,
        roundStartedAt: now,
      };
    case 'group':
      return {
        ...state,
        phase: 'training',
        generation: event.generation,
        workers: event.workers,
        timings: [],
        roundStartedAt: now,
      };
    case 'round': {
      const roundsDone = event.committed.round + 1;
      // Steps of a neural net are told several at a time.
      const rounds = Math.max(1, roundsDone - state.roundsDone);
      const took =
        state.roundStartedAt === undefined || !state.timed ? [] : [(now - state.roundStartedAt) / rounds];
      return {
        ...state,
        phase: 'training',
        roundsDone,
        metrics: event.committed.metrics,
        tracks: afterMetrics(state.tracks, event.committed.metrics, roundsDone),
        timings: event.timings,
        roundMs: [...state.roundMs, ...took].slice(-REMEMBERED_ROUNDS),
        roundStartedAt: now,
      };
    }
    case 'workerLost':
      return { ...state, lost: state.lost + 1, roundStartedAt: undefined };
    case 'undone':
      return { ...state, roundsDone: event.rounds, roundStartedAt: undefined };
    case 'checkpoint':
    case 'profiled':
    case 'workerJoined':
      return state;
  }
  return state;
}

/** Mean milliseconds a round of the last rounds; undefined before the first. */
export function meanRoundMs(state: ProgressState): number | undefined {
  if (state.roundMs.length === 0) return undefined;
  return state.roundMs.reduce((sum, ms) => sum + ms, 0) / state.roundMs.length;
}

/** Training rows times rounds a second, over the last rounds. */
export function rowsPerSecond(state: ProgressState): number | undefined {
  const ms = meanRoundMs(state);
  const rows = state.workers.reduce((sum, worker) => sum + worker.rows, 0);
  return ms === undefined || ms <= 0 || rows === 0 ? undefined : (rows * 1000) / ms;
}
