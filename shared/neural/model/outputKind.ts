// Whether what a net gives are probabilities, or logits and other numbers: cross-entropies are taken of either in another
// way. Looked up in the topology, from the output back to the layer that decides it, so that it is the same for nets that are
// compiled and nets that tfjs trains.

import { plainActivation, type LayerConfig } from '../graph/layerConfig.ts';
import type { NetCalls } from './layerCalls.ts';

export type OutputKind =
  | { readonly kind: 'numbers' | 'probabilities' }
  /** It can not be told; the layer is where looking ended. */
  | { readonly kind: 'unknown'; readonly layer: string; readonly className: string };

const numbers: OutputKind = { kind: 'numbers' };
const probabilities: OutputKind = { kind: 'probabilities' };

/** Given what its inputs are. */
type Rule = (layer: LayerConfig, inputs: readonly OutputKind[]) => OutputKind;

const unknown: Rule = ({ name, className }) => ({ kind: 'unknown', layer: name, className });
const all = (inputs: readonly OutputKind[], kind: OutputKind['kind']): boolean =>
  inputs.every((input) => input.kind === kind);

/** Values stay between those of the inputs. */
const between: Rule = (layer, inputs) => {
  if (all(inputs, 'probabilities')) return probabilities;
  if (all(inputs, 'numbers')) return numbers;
  return inputs.find((input) => input.kind === 'unknown') ?? unknown(layer, inputs);
};

/** Whatever goes in, numbers of any size come out. */
const anew: Rule = () => numbers;

/** Sums of probabilities are neither. */
const sum: Rule = (layer, inputs) => (all(inputs, 'numbers') ? numbers : unknown(layer, inputs));

const product: Rule = (layer, inputs) => {
  if (all(inputs, 'probabilities')) return probabilities;
  // A gate in front of numbers leaves numbers.
  return inputs.some((input) => input.kind === 'unknown') ? unknown(layer, inputs) : numbers;
};

const makeProbabilities: ReadonlySet<string> = new Set(['hardsigmoid', 'sigmoid', 'softmax']);
/** Those that leave numbers between 0 and 1 as they are. */
const leaveProbabilities: ReadonlySet<string> = new Set(['elu', 'leakyrelu', 'linear', 'relu', 'relu6']);
const makeNumbers: ReadonlySet<string> = new Set([
  'exponential',
  'gelu',
  'gelunew',
  'logsoftmax',
  'mish',
  'selu',
  'silu',
  'softplus',
  'softsign',
  'swish',
  'tanh',
]);

function afterActivation(layer: LayerConfig, inputs: readonly OutputKind[], name: string): OutputKind {
  if (makeProbabilities.has(name)) return probabilities;
  if (leaveProbabilities.has(name)) return between(layer, inputs);
  return makeNumbers.has(name) ? sum(layer, inputs) : unknown(layer, inputs);
}

const activated: Rule = (layer) =>
  afterActivation(layer, [numbers], plainActivation(layer.raw('activation')));

/** What LSTMs give is a gate times the activation of their cell. */
const gated: Rule = (layer, inputs) => {
  const kind = afterActivation(layer, [numbers], plainActivation(layer.raw('activation') ?? 'tanh'));
  return kind === numbers ? numbers : unknown(layer, inputs);
};

/** What recurrent layers give are values of their activation, or lie between them. */
const recurrent: Rule = (layer) =>
  afterActivation(layer, [numbers], plainActivation(layer.raw('activation') ?? 'tanh'));

const wrapped: Rule = (layer, inputs) => {
  const inner = layer.layer('layer');
  const kind = inner ? kindOf(inner, inputs) : unknown(layer, inputs);
  return layer.raw('merge_mode') === 'sum' ? sum(layer, [kind]) : kind;
};

const rescaled: Rule = (layer, inputs) =>
  (layer.raw('scale') ?? 1) === 1 && (layer.raw('offset') ?? 0) === 0
    ? between(layer, inputs)
    : sum(layer, inputs);

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(activated, [
    'Conv1D',
    'Conv2D',
    'Conv2DTranspose',
    'Conv3D',
    'Conv3DTranspose',
    'Convolution1D',
    'Convolution2D',
    'Dense',
    'DepthwiseConv2D',
    'EinsumDense',
    'SeparableConv1D',
    'SeparableConv2D',
  ]),
  ...each(anew, ['BatchNormalization', 'Embedding', 'GroupNormalization', 'LayerNormalization']),
  ...each(between, [
    'ActivityRegularization',
    'AlphaDropout',
    'Average',
    'AveragePooling1D',
    'AveragePooling2D',
    'AveragePooling3D',
    'AvgPool2D',
    'Concatenate',
    'Cropping1D',
    'Cropping2D',
    'Dropout',
    'ELU',
    'Flatten',
    'GaussianDropout',
    'GaussianNoise',
    'GlobalAveragePooling1D',
    'GlobalAveragePooling2D',
    'GlobalAvgPool2D',
    'GlobalMaxPool2D',
    'GlobalMaxPooling1D',
    'GlobalMaxPooling2D',
    'InputLayer',
    'LeakyReLU',
    'Masking',
    'MaxPool2D',
    'MaxPooling1D',
    'MaxPooling2D',
    'MaxPooling3D',
    'Maximum',
    'Minimum',
    'PReLU',
    'Permute',
    'ReLU',
    'RepeatVector',
    'Reshape',
    'Resizing',
    'SpatialDropout1D',
    'SpatialDropout2D',
    'UpSampling1D',
    'UpSampling2D',
    'ZeroPadding1D',
    'ZeroPadding2D',
  ]),
  ...each(gated, ['ConvLSTM2D', 'LSTM']),
  ...each(recurrent, ['GRU', 'SimpleRNN']),
  ...each(sum, ['Add', 'Dot', 'Subtract']),
  ...each(wrapped, ['Bidirectional', 'TimeDistributed']),
  ['Activation', (layer, inputs) => afterActivation(layer, inputs, plainActivation(layer.raw('activation')))],
  ['Multiply', product],
  ['Rescaling', rescaled],
  ['Softmax', () => probabilities],
]);

function each(rule: Rule, classNames: readonly string[]): (readonly [string, Rule])[] {
  return classNames.map((className) => [className, rule] as const);
}

function kindOf(layer: LayerConfig, inputs: readonly OutputKind[]): OutputKind {
  return (rules.get(layer.className) ?? unknown)(layer, inputs);
}

/** Of the model's only output. */
export function outputKind({ calls, outputs }: NetCalls): OutputKind {
  const kinds: OutputKind[] = [];
  for (const { layer, inputs, isInput } of calls) {
    kinds.push(
      isInput
        ? numbers
        : kindOf(
            layer,
            inputs.map((at) => kinds[at]!),
          ),
    );
  }
  return kinds[outputs[0]!]!;
}
