// Layer normalization along rows. The gradient reads mean and deviation of each row, which the forward pass keeps for it.

import {
  LAYER_NORM,
  LAYER_NORM_GRADIENT,
  LAYER_NORM_ROWS,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { rowKernel } from '../jobs/elementJobs.ts';
import type { ReductionContext } from './columnBlocks.ts';
import type { ColumnFormula } from './columnSums.ts';
import { columnSums } from './columnSums.ts';
import { ROW_LANES, rowGroups, rowTreeWgsl, rowWgsl } from './rows.ts';
import type { RowShape } from './softmax.ts';
import { changeFloats, float, readFloats } from './vectors.ts';

export interface LayerNormForm extends RowShape {
  readonly epsilon: number;
  readonly gamma: boolean;
  readonly beta: boolean;
}

/** @param keeps mean and deviation of each row. */
function forwardOp(
  { rowsPerExample, length, epsilon, gamma, beta }: LayerNormForm,
  keeps: boolean,
): NeuralOp {
  return {
    name: `layerNorm[${rowsPerExample}×${length}; ${epsilon}${gamma ? ' gamma' : ''}${beta ? ' beta' : ''}${keeps ? '' : ' values'}]`,
    storage: [
      readFloats('input'),
      ...(gamma ? [readFloats('gamma')] : []),
      ...(beta ? [readFloats('beta')] : []),
      changeFloats('output'),
      ...(keeps ? [changeFloats('means'), changeFloats('inverses')] : []),
    ],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `${rowWgsl(rowsPerExample)}
  let first = row * ${length}u;
  var part = 0.0f;
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) { part += input[first + i]; }
  }
  let mean = rowSum(lane, part) / ${float(length)};
  var spread = 0.0f;
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
      let away = input[first + i] - mean;
      spread += away * away;
    }
  }
  let inverse = inverseSqrt(rowSum(lane, spread) / ${float(length)} + ${float(epsilon)});
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
      output[first + i] = (input[first + i] - mean) * inverse${gamma ? ' * gamma[i]' : ''}${beta ? ' + beta[i]' : ''};
    }
${
  keeps
    ? `    if (lane == 0u) {
      means[row] = mean;
      inverses[row] = inverse;
    }`
    : ''
}
  }`,
    reference: (inputs) => {
      const input = floatsOf(inputs, 'input');
      const output = floatsOf(inputs, 'output');
      const scales = gamma ? floatsOf(inputs, 'gamma') : undefined;
      const shifts = beta ? floatsOf(inputs, 'beta') : undefined;
      const means = keeps ? floatsOf(inputs, 'means') : undefined;
      const inverses = keeps ? floatsOf(inputs, 'inverses') : undefined;
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0; row < rows; row += 1) {
        const first = row * length;
        let sum = 0;
        for (let i = 0; i < length; i += 1) sum += input[first + i]!;
        const mean = sum / length;
        let spread = 0;
        for (let i = 0; i < length; i += 1) {
          const away = input[first + i]! - mean;
          spread += away * away;
        }
        const inverse = 1 / Math.sqrt(spread / length + epsilon);
        for (let i = 0; i < length; i += 1) {
          const scale = inverse * (scales ? scales[i]! : 1);
          output[first + i] = (input[first + i]! - mean) * scale + (shifts ? shifts[i]! : 0);
        }
        if (means) means[row] = mean;
        if (inverses) inverses[row] = inverse;
      }
    },
    wasm: rowKernel(LAYER_NORM, rowsPerExample, length, (at, rows) => [
      at('input'),
      at('output'),
      gamma ? at('gamma') : 0,
      beta ? at('beta') : 0,
      keeps ? at('means') : 0,
      keeps ? at('inverses') : 0,
      length,
      rows,
      epsilon,
    ]),
  };
}

/** In place: the output's gradient becomes the input's. */
function gradientOp({ rowsPerExample, length, gamma }: LayerNormForm): NeuralOp {
  const g = `gradient[first + i]${gamma ? ' * gamma[i]' : ''}`;
  return {
    name: `layerNormGradient[${rowsPerExample}×${length}${gamma ? ' gamma' : ''}]`,
    storage: [
      readFloats('x'),
      readFloats('means'),
      readFloats('inverses'),
      ...(gamma ? [readFloats('gamma')] : []),
      changeFloats('gradient'),
    ],
    uniforms: [batchUniform],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `${rowWgsl(rowsPerExample)}
  let first = row * ${length}u;
  var part = 0.0f;
  var along = 0.0f;
  var mean = 0.0f;
  var inverse = 0.0f;
  if (inside) {
    mean = means[row];
    inverse = inverses[row];
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
      let g = ${g};
      part += g;
      along += g * (x[first + i] - mean) * inverse;
    }
  }
  let sum = rowSum(lane, part);
  let sumAlong = rowSum(lane, along);
  if (inside) {
    for (var i = lane; i < ${length}u; i += ${ROW_LANES}u) {
      let g = ${g};
      let normalized = (x[first + i] - mean) * inverse;
      gradient[first + i] = inverse * (g - (sum + normalized * sumAlong) / ${float(length)});
    }
  }`,
    reference: (inputs) => {
      const x = floatsOf(inputs, 'x');
      const gradient = floatsOf(inputs, 'gradient');
      const scales = gamma ? floatsOf(inputs, 'gamma') : undefined;
      const means = floatsOf(inputs, 'means');
      const inverses = floatsOf(inputs, 'inverses');
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0; row < rows; row += 1) {
        const first = row * length;
        const inverse = inverses[row]!;
        let sum = 0;
        let along = 0;
        for (let i = 0; i < length; i += 1) {
          const g = gradient[first + i]! * (scales ? scales[i]! : 1);
          sum += g;
          along += g * (x[first + i]! - means[row]!) * inverse;
        }
        for (let i = 0; i < length; i += 1) {
          const g = gradient[first + i]! * (scales ? scales[i]! : 1);
          const normalized = (x[first + i]! - means[row]!) * inverse;
          gradient[first + i] = inverse * (g - (sum + normalized * along) / length);
        }
      }
    },
    wasm: rowKernel(LAYER_NORM_GRADIENT, rowsPerExample, length, (at, rows) => [
      at('x'),
      at('gradient'),
      gamma ? at('gamma') : 0,
      at('means'),
      at('inverses'),
      length,
      rows,
    ]),
  };
}

/** Terms: Σ g for beta, Σ g·x̂ for gamma. */
const weightSums: ColumnFormula = {
  name: 'layerNormWeights',
  reads: [
    { name: 'gradient', of: 'element' },
    { name: 'x', of: 'element' },
    { name: 'mean', of: 'row' },
    { name: 'inverse', of: 'row' },
  ],
  terms: ['gradient', 'gradient * (x - mean) * inverse'],
  evaluate: ([gradient, x, mean, inverse]) => {
    return (k, i, row) => {
      if (k === 0) return gradient![i]!;
      const along = Math.fround(gradient![i]! * Math.fround(x![i]! - mean![row]!));
      return Math.fround(along * inverse![row]!);
    };
  },
  wasm: LAYER_NORM_ROWS,
};

/** Names of program buffers. `means` and `inverses` hold a float a row. */
export interface LayerNormBuffers {
  readonly input: string;
  readonly output: string;
  readonly means: string;
  readonly inverses: string;
  readonly gamma?: string;
  readonly beta?: string;
}

function rowPlan(
  context: KernelContext,
  op: NeuralOp,
  phase: 'backward' | 'forward',
  { rowsPerExample, length }: RowShape,
  named: Readonly<Record<string, string | undefined>>,
): KernelPlan {
  const call = {
    op,
    buffers: Object.fromEntries(op.storage.map(({ name }) => [name, named[name] ?? ''])),
    groups: (examples: number) => rowGroups(examples * rowsPerExample),
    cost: (examples: number) => ({
      flop: 8 * examples * rowsPerExample * length,
      bytes: 12 * examples * rowsPerExample * length,
    }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}

/** Without buffers for means and inverses there is no gradient to come. */
export function layerNorm(
  context: KernelContext,
  form: LayerNormForm,
  buffers: Omit<LayerNormBuffers, 'inverses' | 'means'> & Partial<LayerNormBuffers>,
): KernelPlan {
  return rowPlan(context, forwardOp(form, buffers.means !== undefined), 'forward', form, { ...buffers });
}

/** Gradients of the weights, to be called before `gradient` becomes that of the input. */
export function layerNormWeightGradients(
  context: ReductionContext,
  { rowsPerExample, length }: LayerNormForm,
  { input, means, inverses }: LayerNormBuffers,
  gradient: string,
  targets: { readonly gamma?: string; readonly beta?: string },
): KernelPlan {
  const reads = { gradient, x: input, mean: means, inverse: inverses };
  return columnSums(context, weightSums, length, rowsPerExample, reads, {
    gradients: [targets.beta, targets.gamma],
  });
}

export function layerNormInputGradient(
  context: KernelContext,
  form: LayerNormForm,
  buffers: LayerNormBuffers,
  gradient: string,
): KernelPlan {
  const { input, means, inverses, gamma } = buffers;
  return rowPlan(context, gradientOp(form), 'backward', form, { x: input, means, inverses, gamma, gradient });
}
