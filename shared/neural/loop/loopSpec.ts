// Everything the members of a run with the owner's own loop must know: one JSON blob, content-addressed.

import type { BlobReference, TensorDataset } from '../run/neuralSpec.ts';

/** A loop as it travels: the text of a function that uses nothing but its arguments, or a module with all its imports. */
export type LoopCode =
  | { readonly kind: 'module'; readonly bundle: BlobReference; readonly exportName: string }
  | { readonly kind: 'text'; readonly source: string };

export interface LoopSpec {
  readonly trainer: 'loop';
  readonly code: LoopCode;
  /** Plain JSON: the first argument. */
  readonly config: unknown;
  readonly datasets: Readonly<Record<string, TensorDataset>>;
  /** Of the order of rows. */
  readonly seed: number;
  /** Longest wait for a member that does not come to a report or a collective. */
  readonly timeoutMs: number;
  /** Reports at which the run ends though the loop would go on. */
  readonly maxReports: number;
  /** A packed checkpoint to begin with. */
  readonly startingCheckpoint?: BlobReference;
}
