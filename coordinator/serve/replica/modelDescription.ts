// What callers may know of a served model: its tensors for the Open Inference Protocol, its JSON for OpenAPI.

import type { TreeOptions } from './predictorOptions.ts';
import type { SmallRequests } from './smallRequests.ts';

/** JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

export interface TensorDescription {
  readonly name: string;
  readonly datatype: string;
  /** -1 for any size, as for the rows. */
  readonly shape: readonly number[];
}

export interface ModelDescription {
  /** As the Open Inference Protocol names it. */
  readonly platform: string;
  readonly summary: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Of one row, and of what is predicted for it; each name's schema. */
  readonly row: Readonly<Record<string, Schema>>;
  readonly predicted: Readonly<Record<string, Schema>>;
  /** Where it is one of trees whose replicas are threads here. */
  readonly trees?: { readonly modelText: string; readonly options: TreeOptions } | undefined;
  /** Predicts small requests on the server's thread, where that is quicker. */
  readonly small: SmallRequests | undefined;
}
