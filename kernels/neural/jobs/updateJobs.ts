// The optimizer's update as a job of WebAssembly.

import { FLOATS_TOGETHER, UPDATE } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { WasmKernel } from '../neuralOp.ts';
import { optimizerSlots, type OptimizerSpec } from '../optimizer.ts';
import type { UpdateForm } from '../updateForm.ts';

function kindOf(o: OptimizerSpec): number {
  if (o.name === 'adam') return 3;
  if (o.name === 'adamw') return 4;
  if (o.momentum === 0) return 0;
  return o.nesterov ? 2 : 1;
}

export function updateKernel(form: UpdateForm, length: number): WasmKernel {
  const { optimizer: o, clipNorm, clipValue, hasTraits } = form;
  const [first, second] = o.name === 'sgd' ? [o.momentum, 0] : [o.beta1, o.beta2];
  const slots = optimizerSlots(o);
  return {
    jobs: ({ at, uniforms }) => {
      const {
        learningRate = 0,
        gradientScale = 0,
        correction1 = 1,
        correction2 = 1,
      } = uniforms['update'] ?? {};
      const parameters = [
        at('parameters'),
        at('gradients'),
        slots > 0 ? at('slot0') : 0,
        slots > 1 ? at('slot1') : 0,
        hasTraits ? at('traits') : 0,
        clipNorm === undefined ? 0 : at('norm'),
        length,
        kindOf(o),
        learningRate,
        gradientScale,
        correction1,
        correction2,
        o.weightDecay,
        first,
        second,
        1 - first,
        1 - second,
        o.name === 'sgd' ? 0 : o.epsilon,
        clipNorm ?? 0,
        Number(clipValue !== undefined),
        clipValue ?? 0,
      ];
      return [{ kernel: UPDATE, parameters, tasks: Math.ceil(length / FLOATS_TOGETHER) }];
    },
  };
}
