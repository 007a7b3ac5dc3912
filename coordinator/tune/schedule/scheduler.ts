// What a scheduler is: a pure function from what it remembers and what happened to what becomes of the trial.

import type { z } from 'zod';
import type { Assignment, SearchSpace } from '../space/searchSpace.ts';

type SchedulerEvent =
  | {
      readonly type: 'report';
      readonly trial: number;
      /** Counts from 1; a boosting round, or a report of the owner's function. */
      readonly iteration: number;
      /** Higher is better, whatever the mode; -Infinity for NaN. */
      readonly score: number;
      readonly assignment: Assignment;
    }
  /** The trial will report no more. */
  | { readonly type: 'ended'; readonly trial: number };

export type Decision =
  | { readonly type: 'continue' }
  | { readonly type: 'stop'; readonly reason: string }
  /** Go on from the last checkpoint of another trial, with other values. */
  | { readonly type: 'exploit'; readonly source: number; readonly assignment: Assignment };

export interface Scheduler {
  readonly initial: unknown;
  /** Checkpoints that it lives on: one every so many iterations. */
  readonly checkpointEvery?: number;
  step(state: unknown, event: SchedulerEvent): readonly [state: unknown, decision: Decision];
}

interface SchedulerContext {
  readonly space: SearchSpace;
  readonly seed: number;
}

/** A scheduler that an owner can name: its options with their defaults, and how it is made. */
export interface SchedulerKind {
  readonly name: string;
  readonly doc: string;
  /** Whether it judges scores, so that a metric and a mode are needed. */
  readonly needsMetric: boolean;
  readonly options: z.ZodType;
  create(options: unknown, context: SchedulerContext): Scheduler;
}

interface TypedKind<O extends z.ZodType, S> extends Omit<SchedulerKind, 'create'> {
  readonly options: O;
  create(
    options: z.output<O>,
    context: SchedulerContext,
  ): {
    readonly initial: S;
    readonly checkpointEvery?: number;
    step(state: S, event: SchedulerEvent): readonly [S, Decision];
  };
}

/** Closes over the types of options and state, so that all kinds fit one registry. */
export function defineScheduler<O extends z.ZodType, S>(kind: TypedKind<O, S>): SchedulerKind {
  return {
    ...kind,
    create(options, context) {
      const made = kind.create(options as z.output<O>, context);
      return { ...made, step: (state, event) => made.step(state as S, event) };
    },
  };
}

export const goOn: Decision = { type: 'continue' };
