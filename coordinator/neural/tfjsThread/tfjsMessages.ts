// What is said between the owner's process and the thread in which tfjs answers.

import type { Tensor } from '../../../shared/neural/state/safetensors.ts';
import type { ModelPort } from '../modelPort.ts';

/** What tfjs tells about a model that it has built. */
export interface InspectedModel {
  readonly inputs: readonly ModelPort[];
  readonly outputShape: readonly number[];
  /** First values of the weights, by name. */
  readonly initial: ReadonlyMap<string, Tensor>;
}

export type TfjsQuestion =
  | { readonly kind: 'names' }
  | { readonly kind: 'inspect'; readonly topology: object };

export type TfjsAnswer = readonly string[] | InspectedModel;

export type TfjsReply =
  | { readonly type: 'answer'; readonly answer: TfjsAnswer }
  | { readonly type: 'failed'; readonly message: string };
