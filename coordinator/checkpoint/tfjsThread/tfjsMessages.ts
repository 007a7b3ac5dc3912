// What is said between the owner's process and the thread in which tfjs answers.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import type { LayersFacts, PredictedRows } from '../../../shared/serve/layersNet.ts';
import type { Tensor } from '../../../shared/neural/state/safetensors.ts';

export interface ModelPort {
  readonly name: string;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/** What tfjs tells about a model that it has built. */
export interface InspectedModel {
  readonly inputs: readonly ModelPort[];
  readonly outputShape: readonly number[];
  /** First values of the weights, by name. */
  readonly initial: ReadonlyMap<string, Tensor>;
}

/** A thread that goes on answering: it tells the facts, then what it predicts for each message of rows. */
export interface TfjsNetData {
  readonly kind: 'net';
  readonly files: LayersFiles;
  readonly device: DeviceKind;
}

export type TfjsNetReply =
  | { readonly type: 'facts'; readonly facts: LayersFacts }
  | { readonly type: 'predicted'; readonly predicted: readonly PredictedRows[] }
  | { readonly type: 'failed'; readonly message: string };

export type TfjsQuestion =
  | { readonly kind: 'names' }
  | {
      readonly kind: 'inspect';
      readonly topology: object;
      /** Numbers of all weights that the model comes with; undefined where it comes without. */
      readonly weights: number | undefined;
    };

export type TfjsAnswer = readonly string[] | InspectedModel;

export type TfjsReply =
  | { readonly type: 'answer'; readonly answer: TfjsAnswer }
  | { readonly type: 'failed'; readonly message: string };
