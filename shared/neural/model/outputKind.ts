// Whether what a net gives are probabilities, or logits and other numbers: cross-entropies are taken of either in another
// way. Looked up in the topology, from the output back to the layer that decides it, so that it is the same for nets that are
// compiled and nets that tfjs trains.

import { activationByName, type ActivationRange } from '../graph/activations.ts';
import { plainActivation, type LayerConfig } from '../graph/layerConfig.ts';
import type { OutputRule } from '../graph/layerReader.ts';
import { layerReaders } from '../layers/layerReaders.ts';
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

/** Activations that are not compiled. */
const otherActivations: ReadonlyMap<string, ActivationRange> = new Map([
  ['linear', 'keeps'],
  ...(['exponential', 'gelunew', 'logsoftmax'] as const).map((name) => [name, 'numbers'] as const),
]);

function afterActivation(layer: LayerConfig, inputs: readonly OutputKind[], name: string): OutputKind {
  const gives = activationByName(name)?.gives ?? otherActivations.get(name);
  if (gives === 'probabilities') return probabilities;
  if (gives === 'keeps') return between(layer, inputs);
  return gives === 'numbers' ? sum(layer, inputs) : unknown(layer, inputs);
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

const rules: Readonly<Record<OutputRule, Rule>> = {
  activated,
  activation: (layer, inputs) => afterActivation(layer, inputs, plainActivation(layer.raw('activation'))),
  anew,
  probabilities: () => probabilities,
  product,
  rescaled,
  sum,
  values: between,
  wrapped,
};

/** Of layers that are not compiled: tfjs trains them. */
const otherRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(activated, ['Conv3D', 'Conv3DTranspose', 'EinsumDense', 'SeparableConv1D']),
  ...each(anew, ['GroupNormalization']),
  ...each(between, [
    'ActivityRegularization',
    'AlphaDropout',
    'AveragePooling3D',
    'Cropping1D',
    'GaussianDropout',
    'GaussianNoise',
    'InputLayer',
    'Masking',
    'MaxPooling3D',
    'Maximum',
    'Minimum',
    'Resizing',
    'SpatialDropout1D',
    'SpatialDropout2D',
    'UpSampling1D',
    'ZeroPadding1D',
  ]),
  ...each(gated, ['ConvLSTM2D', 'LSTM']),
  ...each(recurrent, ['GRU', 'SimpleRNN']),
  ...each(sum, ['Dot', 'Subtract']),
  ...each(wrapped, ['Bidirectional']),
]);

function each(rule: Rule, classNames: readonly string[]): (readonly [string, Rule])[] {
  return classNames.map((className) => [className, rule] as const);
}

function kindOf(layer: LayerConfig, inputs: readonly OutputKind[]): OutputKind {
  const reader = layerReaders.get(layer.className);
  const rule = reader ? rules[reader.gives] : otherRules.get(layer.className);
  return (rule ?? unknown)(layer, inputs);
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
