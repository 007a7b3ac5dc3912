// The owner's own loop over rounds: a function that every member of the group runs, in Ray's second style. It travels
// as source text, so it can use nothing but its arguments.

import type { GbdtParams } from './params.ts';

/** Parameters that may change from round to round, under XGBoost's names. */
export const roundParameters = [
  'eta',
  'gamma',
  'lambda',
  'alpha',
  'max_depth',
  'min_child_weight',
  'max_delta_step',
] as const satisfies readonly (keyof GbdtParams)[];

type RoundParams = Partial<Pick<GbdtParams, (typeof roundParameters)[number]>>;

/** What a loop over rounds sees of the run: its place in the group, and how to train a round. */
export interface TrainLoopContext {
  readonly rank: number;
  readonly size: number;
  /** Rounds that are committed: where the loop goes on. Not zero when the loop starts anew in a changed group. */
  readonly round: number;
  /** Most rounds of this run. */
  readonly numBoostRound: number;
  /** Metrics of the last committed round, where this member knows them. */
  readonly metrics: Readonly<Record<string, number>> | undefined;
  /** Rows of a dataset that this member holds. */
  datasetRows(dataset: string): number;
  /**
   * Trains and commits one round with the whole group; every member must ask for the same rounds and parameters.
   * @returns the round's metrics, equal at every member.
   */
  boost(params?: RoundParams): Promise<Readonly<Record<string, number>>>;
}

/**
 * Must do the same at every member, and go on from context.round: when the group changes the function is called again.
 * Returning ends the run with the rounds trained so far.
 */
export type TrainLoop<Config = unknown> = (config: Config, context: TrainLoopContext) => void | Promise<void>;

/** A loop as it travels. */
export interface TrainLoopSpec {
  /** Text of a function expression. */
  readonly source: string;
  readonly config: unknown;
}

/** Longest accepted source of a loop, in characters. */
export const MAX_TRAIN_LOOP_LENGTH = 256 * 1024;
