// A program as its owner describes it, before any worker has it: code, constructor arguments, and how errors of it are
// explained. The same description opens any number of instances.

import type { Bundle } from './bundle.ts';

/** What one of tabgrad's predictors makes of a batch. */
export interface PredictedColumns {
  /** Names of the columns of predictions, float32. */
  readonly outputs: readonly string[];
  /** Columns of the batch that are handed through. */
  readonly keepColumns: boolean | readonly string[];
  readonly areFinite: boolean;
  /** How far two devices may differ, as a share of the largest prediction of a column; 0 where they are equal to the bit. */
  readonly tolerance: number;
}

/** One of tabgrad's predictors in this process, to check what workers answer. */
export interface ComputedHere {
  /** @param batch as columns. */
  call(batch: Readonly<Record<string, ArrayLike<unknown>>>): unknown;
  close?(): Promise<void>;
}

export interface Program {
  /** For messages, e.g. "Classifier of ./classify.ts". */
  readonly name: string;
  readonly code: Bundle | { readonly builtin: string };
  /** Plain values, typed arrays and Checkpoints. */
  readonly args: readonly unknown[];
  /** How its calls look to the owner's code: "plain" passes arguments as they are, "service" makes HTTP requests of them. */
  readonly form: 'plain' | 'batches' | 'service';
  /** Of tabgrad's predictors alone: what code of owners makes of a batch is not known. */
  readonly predicts?: PredictedColumns;
  /** Of these too. @throws what opening a model throws */
  readonly openHere?: () => ComputedHere;
}
