// What a scheduler is: pure functions from what trials reported to what becomes of them. It judges trials one by one, when
// they report, or all together, when the last of them has come as far.

import type { z } from 'zod';
import type { Assignment, SearchSpace } from '../space/searchSpace.ts';

interface ScoredReport {
  readonly trial: number;
  /** Counts from 1; a boosting round, or a report of the owner's function. */
  readonly iteration: number;
  /** Higher is better, whatever the mode; -Infinity for what is no finite number. */
  readonly score: number;
}

export type Decision = { readonly type: 'continue' } | { readonly type: 'stop'; readonly reason: string };

/**
 * Judges a trial at its reports. It has seen all reports of earlier trials up to this iteration. It may have seen others,
 * which depends on speed: reports of later trials and of later iterations must make no difference to the decision.
 */
export interface Judge {
  readonly initial: unknown;
  step(state: unknown, report: ScoredReport): readonly [state: unknown, decision: Decision];
}

/** A trial that has come to the end of a generation. */
export interface PopulationMember {
  readonly trial: number;
  readonly iteration: number;
  /** The last one reported, higher is better; undefined where there was none. */
  readonly score: number | undefined;
  readonly assignment: Assignment;
}

/** A trial gives its own way up, and goes on from the checkpoint of another with other values. */
export interface Exploit {
  readonly trial: number;
  readonly source: number;
  readonly assignment: Assignment;
}

/** Judges all trials together. Those that come to the end of a generation are paused until the last of them has. */
export interface Generations {
  /** Iterations of a generation. */
  readonly every: number;
  /** @param members in order of their index; trials that have ended are not among them. */
  renew(members: readonly PopulationMember[]): readonly Exploit[];
}

/** With nothing of it every trial runs to its end. */
export interface Scheduler {
  /** Iteration after which a trial is over. */
  readonly lastIteration?: number;
  readonly judge?: Judge;
  readonly generations?: Generations;
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
  readonly options: z.ZodObject;
  create(options: unknown, context: SchedulerContext): Scheduler;
}

interface TypedKind<O extends z.ZodObject> extends Omit<SchedulerKind, 'create'> {
  readonly options: O;
  create(options: z.output<O>, context: SchedulerContext): Scheduler;
}

/** Closes over the type of the options, so that all kinds fit one registry. */
export function defineScheduler<O extends z.ZodObject>(kind: TypedKind<O>): SchedulerKind {
  return { ...kind, create: (options, context) => kind.create(options as z.output<O>, context) };
}

/** Closes over the type of the state. */
export function judgeOf<S>(judge: {
  readonly initial: S;
  step(state: S, report: ScoredReport): readonly [S, Decision];
}): Judge {
  return { initial: judge.initial, step: (state, report) => judge.step(state as S, report) };
}

export const goOn: Decision = { type: 'continue' };
