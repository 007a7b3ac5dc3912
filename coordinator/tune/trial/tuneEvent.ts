// What happens in an experiment, for callbacks and the terminal.

import type { Metrics } from '../../train/result.ts';
import type { Trial } from './trial.ts';

/** What happens in an experiment; `type` tells the events apart. */
export type TuneEvent =
  | { readonly type: 'started'; readonly trials: number; readonly name: string }
  | {
      /** There is room for a new trial, and it can't be made yet. */
      readonly type: 'queued';
      readonly index: number;
      readonly waiting: string;
    }
  | {
      readonly type: 'trial';
      readonly trial: Readonly<Trial>;
      readonly params: Readonly<Record<string, unknown>>;
    }
  | {
      /** It is on record: a restored experiment goes on from there. */
      readonly type: 'checkpoint';
      readonly trial: Readonly<Trial>;
      readonly iteration: number;
      /** Relative to the experiment's folder. */
      readonly path: string;
    }
  | {
      readonly type: 'report';
      readonly trial: Readonly<Trial>;
      readonly iteration: number;
      readonly metrics: Metrics;
    };

/** Told what happens in an experiment. */
export interface TuneCallback {
  /** Everything that happens, in order. What it throws ends the experiment. */
  onEvent?(event: TuneEvent): void;
}

/** The same as one plain JSON value. */
export function tuneEventJson(event: TuneEvent): Record<string, unknown> {
  if (event.type === 'started') return { ...event };
  if (event.type === 'queued') return { type: 'queued', trial: event.index, waiting: event.waiting };
  const { index, id, status, stopReason, error, waiting, failures, checkpoint } = event.trial;
  if (event.type === 'checkpoint') {
    return { type: 'checkpoint', trial: index, iteration: event.iteration, path: event.path };
  }
  if (event.type === 'report') {
    return { type: 'report', trial: index, iteration: event.iteration, metrics: event.metrics };
  }
  return {
    type: 'trial',
    trial: index,
    id,
    status,
    params: event.params,
    failures,
    ...(waiting !== undefined && { waiting }),
    ...(stopReason !== undefined && { stopReason }),
    ...(checkpoint && { checkpoint: checkpoint.path }),
    ...(error && { error }),
  };
}
