// Batch normalization once the statistics are known: y = (x − mean)·scale + beta, then a residual is added and negative
// values cut where the graph goes on so; and its gradient. Statistics come from the microbatch in training and from the
// moving averages in evaluation, always as [mean, 1/√(variance + ε)][channel].

import type { Op } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import {
  BATCH_NORM,
  BATCH_NORM_GRADIENT,
  BATCH_NORM_RELU_ROWS,
  BATCH_NORM_ROWS,
} from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { KernelCall, KernelContext, KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { rowKernel } from '../jobs/elementJobs.ts';
import type { BatchNormShape } from './batchNormStatistics.ts';
import type { ReductionContext } from './columnBlocks.ts';
import type { ColumnFormula } from './columnSums.ts';
import { columnSums } from './columnSums.ts';
import { changeVectors, float, readVectors, vectorAliases, widthOf } from './vectors.ts';

/** What is fused, and which weights there are. */
export interface BatchNormForm {
  readonly gamma: boolean;
  readonly beta: boolean;
  readonly residual: boolean;
  readonly relu: boolean;
}

function formName(form: BatchNormForm): string {
  const parts = (['gamma', 'beta', 'residual', 'relu'] as const).filter((part) => form[part]);
  return parts.join('+');
}

function applyOp(form: BatchNormForm, channels: number, rowsPerExample: number): NeuralOp {
  const width = widthOf(channels);
  const vectors = channels / width;
  const optional = (['gamma', 'beta', 'residual'] as const).filter((part) => form[part]);
  return {
    name: `batchNorm[${rowsPerExample}×${channels}; ${formName(form)}]`,
    storage: [
      readVectors('input'),
      readVectors('moments'),
      ...optional.map((name) => readVectors(name)),
      changeVectors('output'),
    ],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: vectorAliases(width),
    body: `
  if (flat >= batch.examples * ${rowsPerExample * vectors}u) { return; }
  let column = flat % ${vectors}u;
  let scale = moments[${vectors}u + column]${form.gamma ? ' * gamma[column]' : ''};
  var y = (input[flat] - moments[column]) * scale${form.beta ? ' + beta[column]' : ''};
${form.residual ? '  y += residual[flat];' : ''}
${form.relu ? '  y = select(y, T(0.0f), y < T(0.0f));' : ''}
  output[flat] = y;`,
    reference: (inputs) => {
      const input = floatsOf(inputs, 'input');
      const moments = floatsOf(inputs, 'moments');
      const output = floatsOf(inputs, 'output');
      const gamma = form.gamma ? floatsOf(inputs, 'gamma') : undefined;
      const beta = form.beta ? floatsOf(inputs, 'beta') : undefined;
      const residual = form.residual ? floatsOf(inputs, 'residual') : undefined;
      const rows = examplesOf(inputs) * rowsPerExample;
      for (let row = 0, i = 0; row < rows; row += 1) {
        for (let c = 0; c < channels; c += 1, i += 1) {
          const scale = gamma ? Math.fround(moments[channels + c]! * gamma[c]!) : moments[channels + c]!;
          let y = Math.fround(Math.fround(input[i]! - moments[c]!) * scale);
          if (beta) y = Math.fround(y + beta[c]!);
          if (residual) y = Math.fround(y + residual[i]!);
          output[i] = form.relu && y < 0 ? 0 : y;
        }
      }
    },
    wasm: rowKernel(BATCH_NORM, rowsPerExample, channels, (at, rows) => [
      at('input'),
      at('moments'),
      at('output'),
      form.gamma ? at('gamma') : 0,
      form.beta ? at('beta') : 0,
      form.residual ? at('residual') : 0,
      Number(form.relu),
      channels,
      rows,
    ]),
  };
}

/** Moving averages in the form of a microbatch's statistics. */
function movingMomentsOp(channels: number, epsilon: number): Op {
  return {
    name: `movingMoments[${channels}; ${epsilon}]`,
    storage: [
      { name: 'mean', type: 'array<f32>', access: 'read' },
      { name: 'variance', type: 'array<f32>', access: 'read' },
      { name: 'moments', type: 'array<f32>', access: 'read_write' },
    ],
    uniforms: [],
    workgroupSize: 64,
    declarations: '',
    body: `
  if (flat >= ${channels}u) { return; }
  moments[flat] = mean[flat];
  moments[${channels}u + flat] = inverseSqrt(variance[flat] + ${float(epsilon)});`,
    reference: (inputs) => {
      const mean = floatsOf(inputs, 'mean');
      const variance = floatsOf(inputs, 'variance');
      const moments = floatsOf(inputs, 'moments');
      for (let c = 0; c < channels; c += 1) {
        moments[c] = mean[c]!;
        moments[channels + c] = 1 / Math.sqrt(variance[c]! + epsilon);
      }
    },
  };
}

export function movingMoments(
  context: KernelContext,
  { channels, epsilon }: BatchNormShape,
  buffers: { readonly mean: string; readonly variance: string; readonly moments: string },
): KernelPlan {
  const op = movingMomentsOp(channels, epsilon);
  const call: KernelCall = {
    op,
    buffers,
    groups: () => groupsFor(op, channels),
    cost: () => ({ flop: 2 * channels, bytes: 16 * channels }),
    layer: context.layer,
    phase: 'forward',
  };
  return { calls: [call], workspaceBytes: 0 };
}

export function batchNormApply(
  context: KernelContext,
  form: BatchNormForm,
  { channels, rowsPerExample }: BatchNormShape,
  /** input, moments, output and what the form has. */
  buffers: Readonly<Record<string, string>>,
): KernelPlan {
  const op = applyOp(form, channels, rowsPerExample);
  const elements = (examples: number) => examples * rowsPerExample * channels;
  const call: KernelCall = {
    op,
    buffers,
    groups: (examples) => groupsFor(op, elements(examples) / widthOf(channels)),
    cost: (examples) => ({
      flop: 4 * elements(examples),
      bytes: 4 * elements(examples) * (form.residual ? 3 : 2),
    }),
    layer: context.layer,
    phase: 'forward',
  };
  return { calls: [call], workspaceBytes: 0 };
}

/** Terms: Σ g and Σ g·x̂, where g is the output's gradient where the output was not cut. */
function gradientSums(relu: boolean): ColumnFormula {
  const g = relu ? 'select(gradient, T(0.0f), y <= T(0.0f))' : 'gradient';
  return {
    name: relu ? 'batchNormReluSums' : 'batchNormSums',
    reads: [
      { name: 'gradient', of: 'element' },
      { name: 'x', of: 'element' },
      { name: 'mean', of: 'column', table: { in: 'moments', row: 0 } },
      { name: 'inverse', of: 'column', table: { in: 'moments', row: 1 } },
      ...(relu ? [{ name: 'y', of: 'element' } as const] : []),
    ],
    terms: [g, `${g} * (x - mean) * inverse`],
    evaluate: ([gradient, x, moments, , y]) => {
      const channels = moments!.length / 2;
      return (k, i, _, column) => {
        const value = y !== undefined && y[i]! <= 0 ? 0 : gradient![i]!;
        if (k === 0) return value;
        const along = Math.fround(value * Math.fround(x![i]! - moments![column]!));
        return Math.fround(along * moments![channels + column]!);
      };
    },
    wasm: relu ? BATCH_NORM_RELU_ROWS : BATCH_NORM_ROWS,
  };
}

/** Where the statistics are from: a microbatch of this member or of all, or the moving averages, which no value moves. */
type BatchNormStatistics = 'batch' | 'moving' | 'synchronized';

/**
 * In place: `gradient` becomes the gradient of the input, or, with a residual, that of the residual while the input's
 * goes to `inputGradient`.
 */
function inputGradientOp(
  form: BatchNormForm,
  channels: number,
  rowsPerExample: number,
  from: BatchNormStatistics,
): NeuralOp {
  const width = widthOf(channels);
  const vectors = channels / width;
  const isMoving = from === 'moving';
  const synchronized = from === 'synchronized';
  // Rows that the statistics are over: with those of other members the third row of the sums says it.
  const over = synchronized ? `sums[${2 * vectors}u + column]` : `f32(batch.examples * ${rowsPerExample}u)`;
  return {
    name: `batchNormGradient[${rowsPerExample}×${channels}; ${formName(form)} ${from}]`,
    storage: [
      ...(isMoving ? [] : [readVectors('x'), readVectors('sums')]),
      readVectors('moments'),
      ...(form.gamma ? [readVectors('gamma')] : []),
      ...(form.relu ? [readVectors('y')] : []),
      changeVectors('gradient'),
      ...(form.residual ? [changeVectors('inputGradient')] : []),
    ],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: vectorAliases(width),
    body: `
  if (flat >= batch.examples * ${rowsPerExample * vectors}u) { return; }
  let column = flat % ${vectors}u;
  var g = gradient[flat];
${form.relu ? '  g = select(g, T(0.0f), y[flat] <= T(0.0f));' : ''}
  let inverse = moments[${vectors}u + column];
  let scale = inverse${form.gamma ? ' * gamma[column]' : ''};
${
  isMoving
    ? '  let dx = scale * g;'
    : `  let normalized = (x[flat] - moments[column]) * inverse;
  let dx = scale * (g - (sums[column] + normalized * sums[${vectors}u + column]) / ${over});`
}
${form.residual ? '  gradient[flat] = g;\n  inputGradient[flat] = dx;' : '  gradient[flat] = dx;'}`,
    reference: (inputs) => {
      const x = isMoving ? undefined : floatsOf(inputs, 'x');
      const moments = floatsOf(inputs, 'moments');
      const sums = isMoving ? undefined : floatsOf(inputs, 'sums');
      const gradient = floatsOf(inputs, 'gradient');
      const gamma = form.gamma ? floatsOf(inputs, 'gamma') : undefined;
      const y = form.relu ? floatsOf(inputs, 'y') : undefined;
      const target = form.residual ? floatsOf(inputs, 'inputGradient') : gradient;
      const rows = examplesOf(inputs) * rowsPerExample;
      const over = synchronized ? sums![2 * channels]! : Math.fround(rows);
      for (let row = 0, i = 0; row < rows; row += 1) {
        for (let c = 0; c < channels; c += 1, i += 1) {
          const g = y && y[i]! <= 0 ? 0 : gradient[i]!;
          const inverse = moments[channels + c]!;
          const scale = gamma ? Math.fround(inverse * gamma[c]!) : inverse;
          let dx = g;
          if (x && sums) {
            const normalized = Math.fround(Math.fround(x[i]! - moments[c]!) * inverse);
            const along = Math.fround(normalized * sums[channels + c]!);
            dx = Math.fround(g - Math.fround(Math.fround(sums[c]! + along) / over));
          }
          if (form.residual) gradient[i] = g;
          target[i] = scale * dx;
        }
      }
    },
    wasm: rowKernel(BATCH_NORM_GRADIENT, rowsPerExample, channels, (at, rows) => [
      isMoving ? 0 : at('x'),
      at('moments'),
      isMoving ? 0 : at('sums'),
      at('gradient'),
      form.gamma ? at('gamma') : 0,
      form.relu ? at('y') : 0,
      form.residual ? at('inputGradient') : 0,
      channels,
      rows,
      isMoving ? 1 : synchronized ? 0 : rows,
    ]),
  };
}

/** Names of program buffers. */
export interface BatchNormGradientBuffers {
  readonly x: string;
  readonly moments: string;
  /** [Σ g, Σ g·x̂, when synchronised: rows][channel]. */
  readonly sums: string;
  /** Changed in place. */
  readonly gradient: string;
  readonly y?: string;
  readonly gamma?: string;
  readonly inputGradient?: string;
  readonly gammaGradient?: string;
  readonly betaGradient?: string;
}

/** Σ g and Σ g·x̂ into `sums` and the gradients of the weights. */
export function batchNormGradientSums(
  context: ReductionContext,
  form: BatchNormForm,
  { channels, rowsPerExample }: BatchNormShape,
  buffers: BatchNormGradientBuffers,
): KernelPlan {
  const { x, gradient, moments, y } = buffers;
  const reads = { x, gradient, moments, ...(form.relu && y !== undefined && { y }) };
  return columnSums(context, gradientSums(form.relu), channels, rowsPerExample, reads, {
    gradients: [buffers.betaGradient, buffers.gammaGradient],
    sums: buffers.sums,
  });
}

export function batchNormInputGradient(
  context: KernelContext,
  form: BatchNormForm,
  { channels, rowsPerExample }: BatchNormShape,
  buffers: BatchNormGradientBuffers,
  from: BatchNormStatistics,
): KernelPlan {
  const op = inputGradientOp(form, channels, rowsPerExample, from);
  const bound = Object.fromEntries(
    op.storage.map(({ name }) => [name, buffers[name as keyof BatchNormGradientBuffers]!]),
  );
  const elements = (examples: number) => examples * rowsPerExample * channels;
  const call: KernelCall = {
    op,
    buffers: bound,
    groups: (examples) => groupsFor(op, elements(examples) / widthOf(channels)),
    cost: (examples) => ({
      flop: 8 * elements(examples),
      bytes: 4 * elements(examples) * (3 + (form.relu ? 1 : 0) + (form.residual ? 1 : 0)),
    }),
    layer: context.layer,
    phase: 'backward',
  };
  return { calls: [call], workspaceBytes: 0 };
}
