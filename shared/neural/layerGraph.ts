// A neural net as the engine sees it: a graph of plain operations, whatever it was written as. A tf.LayersModel's topology
// is read into this form (composite layers taken apart, activations as nodes of their own), and the compiler turns it
// into a training program.

import type { ElementwiseActivation } from '../../kernels/neural/ops/activations.ts';

/** Dimensions without the batch. Images are height × width × channels, as in tfjs's channelsLast. */
export type Shape = readonly number[];
export type Pair = readonly [height: number, width: number];

/** Rows and columns of zeros around an image. "same" and "valid" are resolved to these numbers by who makes the graph. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export type ActivationName = ElementwiseActivation | 'softmax';

/** What a node computes. Kernels are laid out as in tfjs: [height, width, channels in, channels out]. */
export type LayerOperation =
  | { readonly type: 'input'; readonly dtype: 'float32' | 'int32' }
  /** Along the last axis. Weights: kernel [in, units], then bias [units]. */
  | {
      readonly type: 'dense';
      readonly units: number;
      readonly useBias: boolean;
    }
  /** Weights: kernel [h, w, channels in / groups, filters], then bias [filters]. */
  | {
      readonly type: 'conv2d';
      readonly filters: number;
      readonly kernelSize: Pair;
      readonly strides: Pair;
      readonly dilations: Pair;
      readonly padding: Padding;
      readonly groups: number;
      readonly useBias: boolean;
    }
  /** Weights: kernel [h, w, channels, multiplier], then bias [channels · multiplier]. */
  | {
      readonly type: 'depthwiseConv2d';
      readonly multiplier: number;
      readonly kernelSize: Pair;
      readonly strides: Pair;
      readonly dilations: Pair;
      readonly padding: Padding;
      readonly useBias: boolean;
    }
  /**
   * The input gradient of a convolution, by which an image becomes larger. Weights: kernel [h, w, filters, channels in], then
   * bias [filters]. The padding is that of the convolution, around what comes out here.
   */
  | {
      readonly type: 'conv2dTranspose';
      readonly filters: number;
      readonly kernelSize: Pair;
      readonly strides: Pair;
      readonly padding: Padding;
      readonly useBias: boolean;
    }
  /**
   * Over all axes but the last. Weights in tfjs's order: gamma (if `scale`), beta (if `center`), moving mean, moving
   * variance (the last two not trainable).
   */
  | {
      readonly type: 'batchNormalization';
      readonly momentum: number;
      readonly epsilon: number;
      readonly center: boolean;
      readonly scale: boolean;
      /** In training too it normalizes by the moving statistics, and leaves them as they are. */
      readonly frozen?: boolean;
    }
  /** Over the last axis. Weights: gamma (if `scale`), beta (if `center`). */
  | {
      readonly type: 'layerNormalization';
      readonly epsilon: number;
      readonly center: boolean;
      readonly scale: boolean;
    }
  /** `alpha`: slope of leakyRelu, scale of elu. Softmax is along the last axis. Gelu is the exact one (erf). */
  | {
      readonly type: 'activation';
      readonly function: ActivationName;
      readonly alpha?: number;
    }
  /** Times alpha below zero. Weights: alpha, of the input's shape with 1 for each of the first `sharedAxes` axes. */
  | { readonly type: 'prelu'; readonly sharedAxes: number }
  | {
      readonly type: 'maxPool2d' | 'averagePool2d';
      readonly poolSize: Pair;
      readonly strides: Pair;
      /** Averages leave padding out of the count; maxima ignore it. */
      readonly padding: Padding;
    }
  | { readonly type: 'globalAveragePool2d' | 'globalMaxPool2d' }
  | { readonly type: 'zeroPad2d'; readonly padding: Padding }
  /** Takes so many rows and columns away from around an image. */
  | { readonly type: 'crop2d'; readonly cropping: Padding }
  /** Axis k of what comes out is axis `axes[k]` of what goes in, without the batch. */
  | { readonly type: 'permute'; readonly axes: readonly number[] }
  /** Also flatten: the node's shape says what comes out. */
  | { readonly type: 'reshape' }
  | { readonly type: 'add' | 'multiply' }
  /** Times `scale`, plus `offset`. */
  | { readonly type: 'rescale'; readonly scale: number; readonly offset: number }
  /** `axis` counts without the batch. */
  | { readonly type: 'concatenate'; readonly axis: number }
  /** Active in training only; kept values are scaled by 1/(1−rate). */
  | { readonly type: 'dropout'; readonly rate: number }
  /** Input: int32 indices below `vocabulary`. Weights: table [vocabulary, width]. */
  | {
      readonly type: 'embedding';
      readonly vocabulary: number;
      readonly width: number;
    }
  | {
      readonly type: 'upSample2d';
      readonly size: Pair;
      readonly interpolation: 'nearest' | 'bilinear';
    };

export type OperationType = LayerOperation['type'];
/** The operations of these types; several types may share one form. */
export type OperationOf<T extends OperationType> = LayerOperation extends infer Operation
  ? Operation extends { readonly type: infer U }
    ? [Extract<T, U>] extends [never]
      ? never
      : Operation
    : never
  : never;

export interface WeightSpec {
  /** As in tfjs's weights manifest, e.g. "conv2d_1/kernel"; unique in the graph. */
  readonly name: string;
  readonly shape: Shape;
  /** False for moving statistics and for frozen layers. */
  readonly trainable: boolean;
  /** Added to the loss: l1 · Σ|w| + l2 · Σw². */
  readonly l1?: number;
  readonly l2?: number;
}

export interface LayerNode {
  /** The layer's name in the model, for messages; several nodes may share it. */
  readonly name: string;
  readonly operation: LayerOperation;
  /** Positions in `nodes`, all before this one. */
  readonly inputs: readonly number[];
  readonly shape: Shape;
  /** A layer that is called several times has the same weights in all of its nodes. */
  readonly weights: readonly WeightSpec[];
  /** So many parts along the first axis, of which the operation sees each by itself, as an example of its own. */
  readonly parts?: number;
}

export interface LayerGraph {
  /** In topological order. */
  readonly nodes: readonly LayerNode[];
  /** Nodes of type "input", in the model's order. */
  readonly inputs: readonly number[];
  readonly output: number;
}
