// The activations of the compiled engine, by the names that plainActivation gives. One line each.

import type { ActivationName } from '../layerGraph.ts';

/** An activation as it is compiled. */
export interface ActivationConfig {
  readonly function: ActivationName;
  readonly alpha?: number;
}

/** "probabilities" of any numbers; "keeps": numbers between 0 and 1 stay so; "numbers" of any size. */
export type ActivationRange = 'keeps' | 'numbers' | 'probabilities';

interface ActivationDefinition {
  readonly config: ActivationConfig;
  readonly gives: ActivationRange;
}

const activations: Readonly<Record<string, ActivationDefinition>> = {
  elu: { config: { function: 'elu', alpha: 1 }, gives: 'keeps' },
  gelu: { config: { function: 'gelu' }, gives: 'numbers' },
  hardsigmoid: { config: { function: 'hardSigmoid' }, gives: 'probabilities' },
  leakyrelu: { config: { function: 'leakyRelu', alpha: 0.2 }, gives: 'keeps' },
  mish: { config: { function: 'mish' }, gives: 'numbers' },
  relu: { config: { function: 'relu' }, gives: 'keeps' },
  relu6: { config: { function: 'relu6' }, gives: 'keeps' },
  selu: { config: { function: 'selu' }, gives: 'numbers' },
  sigmoid: { config: { function: 'sigmoid' }, gives: 'probabilities' },
  silu: { config: { function: 'swish' }, gives: 'numbers' },
  softmax: { config: { function: 'softmax' }, gives: 'probabilities' },
  softplus: { config: { function: 'softplus' }, gives: 'numbers' },
  softsign: { config: { function: 'softsign' }, gives: 'numbers' },
  swish: { config: { function: 'swish' }, gives: 'numbers' },
  tanh: { config: { function: 'tanh' }, gives: 'numbers' },
};

/** Undefined for one that is not compiled. */
export function activationByName(name: string): ActivationDefinition | undefined {
  return Object.hasOwn(activations, name) ? activations[name] : undefined;
}
