// Activations and their gradients as formulas. A gradient is written over the gradient of the output; it comes from the
// output where that says enough, since the output is kept for the next layer anyway.

import { deterministicExp } from '../../fixed/deterministicExp.ts';
import * as numbers from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { ElementwiseFormula } from './elementwise.ts';
import { expMinusOne, normalCdf, normalDensity, sigmoid, softplus, tanh } from './exactFunctions.ts';
import { float } from './vectors.ts';

export interface ActivationFormulas {
  readonly forward: ElementwiseFormula;
  /** Reads `x`, the input, or `y`, the output; `before` is the gradient of the output. */
  readonly backward: ElementwiseFormula;
}

/** Comparisons are so turned that NaN stays NaN: WGSL's min and max may drop it, and SwiftShader's exp does. */
const sigmoidWgsl = `
fn sigmoid(x: T) -> T {
  let y = T(1.0f) / (T(1.0f) + exp(select(-x, T(88.0f), x < T(-88.0f))));
  return select(select(x, y, x < T(0.0f)), y, x >= T(0.0f));
}`;

/** Abramowitz & Stegun 7.1.26, within 1.5e-7: as good as f32. */
const erfWgsl = `
fn erf(x: T) -> T {
  let z = abs(x);
  let t = T(1.0f) / (T(1.0f) + 0.3275911f * z);
  let p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return sign(x) * (T(1.0f) - p * exp(-select(z * z, T(88.0f), z > T(9.0f))));
}
fn normalCdf(x: T) -> T { return 0.5f * (T(1.0f) + erf(x * 0.70710678118f)); }`;

/** log(1 + eˣ), which no x overflows. */
const softplusWgsl = `
fn softplus(x: T) -> T {
  let z = abs(x);
  return select(x, T(0.0f), x < T(0.0f)) + log(T(1.0f) + exp(-select(z, T(88.0f), z > T(88.0f))));
}`;

/** Below −88 the rest is 0 in f32, and −∞ · 0 no number. */
const mishWgsl = `${sigmoidWgsl}${softplusWgsl}
fn bounded(x: T) -> T { return select(x, T(-88.0f), x < T(-88.0f)); }
fn slowTanh(x: T) -> T { return select(tanh(x), T(1.0f), x > T(15.0f)); }`;

const bounded = (x: number): number => (x < -88 ? -88 : x);

/** Klambauer et al. 2017. */
const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473768;

/** From the input x to a value. */
function forward(
  name: string,
  expression: string,
  evaluate: (x: number) => number,
  declarations = '',
): Activation {
  return { name, reads: ['x'], expression, declarations, evaluate };
}

/** What `withWasm` makes a formula of. */
type Activation = Omit<ElementwiseFormula, 'wasm'>;

/** @param first number of the forward formula; that of the gradient follows. */
function withWasm(
  first: number,
  { forward, backward }: { readonly forward: Activation; readonly backward: Activation },
  alpha = 0,
): ActivationFormulas {
  return {
    forward: { ...forward, wasm: { number: first, constants: [alpha] } },
    backward: { ...backward, wasm: { number: first + 1, constants: [alpha] } },
  };
}

function backward(
  name: string,
  from: 'x' | 'y',
  expression: string,
  evaluate: (value: number, before: number) => number,
  declarations = '',
): Activation {
  return {
    name: `${name}Gradient`,
    reads: [from],
    expression,
    declarations,
    updates: true,
    evaluate: (value, _, before) => evaluate(value, before),
  };
}

function leakyRelu(alpha: number): ActivationFormulas {
  const name = `leakyRelu(${alpha})`;
  const a = float(alpha);
  return withWasm(
    numbers.LEAKY_RELU,
    {
      forward: forward(name, `select(x, x * ${a}, x < T(0.0f))`, (x) => (x < 0 ? x * Math.fround(alpha) : x)),
      backward: backward(name, 'x', `select(before, before * ${a}, x < T(0.0f))`, (x, g) =>
        x < 0 ? g * Math.fround(alpha) : g,
      ),
    },
    alpha,
  );
}

function elu(alpha: number): ActivationFormulas {
  const name = `elu(${alpha})`;
  const a = float(alpha);
  return withWasm(
    numbers.ELU,
    {
      forward: forward(name, `select(x, ${a} * (exp(min(x, T(0.0f))) - T(1.0f)), x < T(0.0f))`, (x) =>
        x < 0 ? alpha * expMinusOne(x) : x,
      ),
      backward: backward(
        name,
        'x',
        `select(before, before * ${a} * exp(min(x, T(0.0f))), x < T(0.0f))`,
        (x, g) => (x < 0 ? g * alpha * deterministicExp(x) : g),
      ),
    },
    alpha,
  );
}

const fixed = {
  relu: withWasm(numbers.RELU, {
    forward: forward('relu', 'select(x, T(0.0f), x < T(0.0f))', (x) => (x < 0 ? 0 : x)),
    backward: backward('relu', 'y', 'select(before, T(0.0f), y <= T(0.0f))', (y, g) => (y <= 0 ? 0 : g)),
  }),
  relu6: withWasm(numbers.RELU6, {
    forward: forward('relu6', 'select(select(x, T(0.0f), x < T(0.0f)), T(6.0f), x > T(6.0f))', (x) =>
      x < 0 ? 0 : x > 6 ? 6 : x,
    ),
    backward: backward(
      'relu6',
      'y',
      'select(select(before, T(0.0f), y <= T(0.0f)), T(0.0f), y >= T(6.0f))',
      (y, g) => (y <= 0 || y >= 6 ? 0 : g),
    ),
  }),
  selu: withWasm(numbers.SELU, {
    forward: forward(
      'selu',
      `select(x * ${float(SELU_SCALE)}, ${float(SELU_SCALE_ALPHA)} * (exp(min(x, T(0.0f))) - T(1.0f)), x < T(0.0f))`,
      (x) => (x < 0 ? SELU_SCALE_ALPHA * expMinusOne(x) : SELU_SCALE * x),
    ),
    backward: backward(
      'selu',
      'x',
      `before * select(T(${float(SELU_SCALE)}), ${float(SELU_SCALE_ALPHA)} * exp(min(x, T(0.0f))), x < T(0.0f))`,
      (x, g) => g * (x < 0 ? SELU_SCALE_ALPHA * deterministicExp(x) : SELU_SCALE),
    ),
  }),
  softplus: withWasm(numbers.SOFTPLUS, {
    forward: forward('softplus', 'softplus(x)', softplus, softplusWgsl),
    backward: backward('softplus', 'x', 'before * sigmoid(x)', (x, g) => g * sigmoid(x), sigmoidWgsl),
  }),
  softsign: withWasm(numbers.SOFTSIGN, {
    // ∞ / ∞ is no number.
    forward: forward('softsign', 'select(x / (T(1.0f) + abs(x)), sign(x), abs(x) > T(1e30f))', (x) =>
      Math.abs(x) > 1e30 ? Math.sign(x) : x / (1 + Math.abs(x)),
    ),
    backward: backward(
      'softsign',
      'y',
      'before * (T(1.0f) - abs(y)) * (T(1.0f) - abs(y))',
      (y, g) => g * (1 - Math.abs(y)) * (1 - Math.abs(y)),
    ),
  }),
  // Of tfjs and Keras 2: x / 5 + 1/2, cut to 0 and 1.
  hardSigmoid: withWasm(numbers.HARD_SIGMOID, {
    forward: forward(
      'hardSigmoid',
      'select(select(0.2f * x + 0.5f, T(0.0f), x < T(-2.5f)), T(1.0f), x > T(2.5f))',
      (x) => (x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5),
    ),
    backward: backward(
      'hardSigmoid',
      'y',
      'select(select(before * 0.2f, T(0.0f), y <= T(0.0f)), T(0.0f), y >= T(1.0f))',
      (y, g) => (y <= 0 || y >= 1 ? 0 : g * 0.2),
    ),
  }),
  /** Misra 2019. */
  mish: withWasm(numbers.MISH, {
    forward: forward(
      'mish',
      'bounded(x) * slowTanh(softplus(bounded(x)))',
      (x) => bounded(x) * tanh(softplus(bounded(x))),
      mishWgsl,
    ),
    backward: backward(
      'mish',
      'x',
      'before * mishSlope(bounded(x))',
      (x, g) => {
        const t = tanh(softplus(bounded(x)));
        return g * (t + bounded(x) * (1 - t * t) * sigmoid(bounded(x)));
      },
      `${mishWgsl}
fn mishSlope(x: T) -> T {
  let t = slowTanh(softplus(x));
  return t + x * (T(1.0f) - t * t) * sigmoid(x);
}`,
    ),
  }),
  sigmoid: withWasm(numbers.SIGMOID, {
    forward: forward('sigmoid', 'sigmoid(x)', sigmoid, sigmoidWgsl),
    backward: backward('sigmoid', 'y', 'before * y * (T(1.0f) - y)', (y, g) => g * y * (1 - y)),
  }),
  tanh: withWasm(numbers.TANH, {
    // Some drivers overflow on the way to ±1.
    forward: forward('tanh', 'select(tanh(x), sign(x), abs(x) > T(15.0f))', tanh),
    backward: backward('tanh', 'y', 'before * (T(1.0f) - y * y)', (y, g) => g * (1 - y * y)),
  }),
  swish: withWasm(numbers.SWISH, {
    forward: forward('swish', 'x * sigmoid(x)', (x) => x * sigmoid(x), sigmoidWgsl),
    backward: backward(
      'swish',
      'x',
      'before * sigmoid(x) * (T(1.0f) + x * (T(1.0f) - sigmoid(x)))',
      (x, g) => g * sigmoid(x) * (1 + x * (1 - sigmoid(x))),
      sigmoidWgsl,
    ),
  }),
  gelu: withWasm(numbers.GELU, {
    forward: forward('gelu', 'x * normalCdf(x)', (x) => x * normalCdf(x), erfWgsl),
    backward: backward(
      'gelu',
      'x',
      'before * (normalCdf(x) + x * 0.3989422804f * exp(-0.5f * x * x))',
      (x, g) => g * (normalCdf(x) + x * normalDensity(x)),
      erfWgsl,
    ),
  }),
} as const satisfies Readonly<Record<string, ActivationFormulas>>;

/** All but softmax, which needs a whole row. */
export type ElementwiseActivation = keyof typeof fixed | 'elu' | 'leakyRelu';
export const elementwiseActivations: readonly ElementwiseActivation[] = [
  'elu',
  'leakyRelu',
  ...(Object.keys(fixed) as (keyof typeof fixed)[]),
];

/** @param alpha slope of leakyRelu (default 0.2, tfjs's), scale of elu (default 1). */
export function activationFormulas(name: ElementwiseActivation, alpha?: number): ActivationFormulas {
  if (name === 'leakyRelu') return leakyRelu(alpha ?? 0.2);
  if (name === 'elu') return elu(alpha ?? 1);
  return fixed[name];
}
