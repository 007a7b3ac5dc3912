// The update in plain loops, each operation rounded to f32: to the bits of WebAssembly.

import type { OpInputs } from '../../gpu/op.ts';
import { floatsOf } from '../kernelCall.ts';
import type { OptimizerSpec } from '../optimizer.ts';
import { BLOCK_LENGTH, TRAIT_FLOATS, type UpdateForm } from '../updateForm.ts';

const f = Math.fround;

/** The averaged gradient with penalties of element i. */
export function rawGradient(inputs: OpInputs, form: UpdateForm): (i: number) => number {
  const gradients = floatsOf(inputs, 'gradients');
  const scale = f(inputs.uniforms['update']?.['gradientScale'] ?? 0);
  const traits = form.hasTraits ? floatsOf(inputs, 'traits') : undefined;
  const parameters = form.hasTraits ? floatsOf(inputs, 'parameters') : undefined;
  return (i) => {
    const g = f(gradients[i]! * scale);
    if (traits === undefined) return g;
    const at = Math.floor(i / BLOCK_LENGTH) * TRAIT_FLOATS;
    const w = parameters![i]!;
    const withL1 = f(g + f(traits[at]! * Math.sign(w)));
    return f(f(withL1 + f(f(2 * traits[at + 1]!) * w)) * traits[at + 2]!);
  };
}

/** The gradient after the bounds. */
function boundedGradient(inputs: OpInputs, form: UpdateForm): (i: number) => number {
  const { clipNorm, clipValue } = form;
  const raw = rawGradient(inputs, form);
  const most = f(clipNorm ?? 0);
  const byNorm = clipNorm === undefined ? 1 : f(most / Math.max(floatsOf(inputs, 'norm')[0]!, most));
  const bound = f(clipValue ?? Infinity);
  return (i) => {
    const g = clipNorm === undefined ? raw(i) : f(raw(i) * byNorm);
    return clipValue === undefined ? g : Math.min(bound, Math.max(-bound, g));
  };
}

/** What an optimizer takes off a parameter, but for the rate. `decay` is the weight's own part. */
type Step = (i: number, g: number, decay: number) => number;

function sgdStep(o: Extract<OptimizerSpec, { name: 'sgd' }>, inputs: OpInputs): Step {
  const momentum = f(o.momentum);
  const velocity = o.momentum === 0 ? undefined : floatsOf(inputs, 'slot0');
  return (i, gradient, decay) => {
    const g = o.weightDecay === 0 ? gradient : f(gradient + decay);
    if (velocity === undefined) return g;
    const v = f(f(momentum * velocity[i]!) + g);
    velocity[i] = v;
    return o.nesterov ? f(g + f(momentum * v)) : v;
  };
}

function adamStep(o: Exclude<OptimizerSpec, { name: 'sgd' }>, inputs: OpInputs): Step {
  const [first, second] = [floatsOf(inputs, 'slot0'), floatsOf(inputs, 'slot1')];
  const [beta1, beta2, epsilon] = [f(o.beta1), f(o.beta2), f(o.epsilon)];
  const [rest1, rest2] = [f(1 - o.beta1), f(1 - o.beta2)];
  const { correction1: c1 = 1, correction2: c2 = 1 } = inputs.uniforms['update'] ?? {};
  const [correction1, correction2] = [f(c1), f(c2)];
  const hasDecay = o.weightDecay !== 0;
  return (i, gradient, decay) => {
    const g = o.name === 'adam' && hasDecay ? f(gradient + decay) : gradient;
    const m = f(f(beta1 * first[i]!) + f(rest1 * g));
    const v = f(f(beta2 * second[i]!) + f(f(rest2 * g) * g));
    first[i] = m;
    second[i] = v;
    const step = f(f(m / correction1) / f(f(Math.sqrt(f(v / correction2))) + epsilon));
    return o.name === 'adamw' && hasDecay ? f(step + decay) : step;
  };
}

export function updateReference(form: UpdateForm, length: number): (inputs: OpInputs) => void {
  const { optimizer: o } = form;
  return (inputs) => {
    const parameters = floatsOf(inputs, 'parameters');
    const gradients = floatsOf(inputs, 'gradients');
    const rate = f(inputs.uniforms['update']?.['learningRate'] ?? 0);
    const traits = form.hasTraits ? floatsOf(inputs, 'traits') : undefined;
    const gradientOf = boundedGradient(inputs, form);
    const stepOf = o.name === 'sgd' ? sgdStep(o, inputs) : adamStep(o, inputs);
    const weightDecay = f(o.weightDecay);
    for (let i = 0; i < length; i += 1) {
      const w = parameters[i]!;
      const trainable = traits?.[Math.floor(i / BLOCK_LENGTH) * TRAIT_FLOATS + 2] ?? 1;
      const decay = f(f(weightDecay * w) * trainable);
      parameters[i] = w - f(rate * stepOf(i, gradientOf(i), decay));
      gradients[i] = 0;
    }
  };
}
