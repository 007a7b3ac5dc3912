// The update: one dispatch over the flat arrays of parameters, gradients and optimizer slots, which also sets the
// gradients to zero; before it, where gradients are clipped, two that find their norm. Parameters too many for one
// binding are updated in several pieces.

import type { Op, UniformBinding } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelCall } from '../kernelCall.ts';
import { floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { optimizerSlots, type OptimizerSpec } from '../optimizer.ts';
import { squaresKernel } from '../jobs/tableJobs.ts';
import { updateKernel } from '../jobs/updateJobs.ts';
import { ROW_LANES, rowTreeWgsl } from './rows.ts';
import { BLOCK_LENGTH, type UpdateForm } from '../updateForm.ts';
import { rawGradient, updateReference } from './updateReference.ts';
import { changeFloats, changeVectors, float, readFloats, readVectors, vectorAliases } from './vectors.ts';

/** The uniform of update ops. */
export const updateUniform: UniformBinding = {
  name: 'update',
  fields: {
    learningRate: 'f32',
    /** 1 / examples of the step, all members. */
    gradientScale: 'f32',
    /** 1 / microbatches of the step, all members. */
    statisticsScale: 'f32',
    /** 1 − βⁿ of Adam. */
    correction1: 'f32',
    correction2: 'f32',
  },
};

/** The gradient as the loss has it: averaged, with the penalties' own. */
function rawGradientWgsl({ hasTraits }: UpdateForm): string {
  if (!hasTraits) return '  var g = gradients[i] * update.gradientScale;';
  return `  let trait_ = traits[i / ${BLOCK_LENGTH / 4}u];
  var g = gradients[i] * update.gradientScale + trait_.x * sign(w) + 2.0f * trait_.y * w;
  g = g * trait_.z;`;
}

function optimizerWgsl(o: OptimizerSpec, hasTraits: boolean): string {
  const trainable = hasTraits ? ' * trait_.z' : '';
  if (o.name === 'sgd') {
    const decay = o.weightDecay === 0 ? '' : `  g += ${float(o.weightDecay)} * w${trainable};\n`;
    if (o.momentum === 0) return `${decay}  parameters[i] = w - update.learningRate * g;`;
    const step = o.nesterov ? `g + ${float(o.momentum)} * v` : 'v';
    return `${decay}  let v = ${float(o.momentum)} * slot0[i] + g;
  slot0[i] = v;
  parameters[i] = w - update.learningRate * (${step});`;
  }
  const l2 = o.name === 'adam' && o.weightDecay !== 0;
  const decoupled = o.name === 'adamw' && o.weightDecay !== 0;
  return `${l2 ? `  g += ${float(o.weightDecay)} * w${trainable};\n` : ''}  let m = ${float(o.beta1)} * slot0[i] + ${float(1 - o.beta1)} * g;
  let v = ${float(o.beta2)} * slot1[i] + ${float(1 - o.beta2)} * g * g;
  slot0[i] = m;
  slot1[i] = v;
  let step = (m / update.correction1) / (sqrt(v / update.correction2) + ${float(o.epsilon)});
  parameters[i] = w - update.learningRate * (step${decoupled ? ` + ${float(o.weightDecay)} * w${trainable}` : ''});`;
}

/** clamp and max may make a number of NaN, and a gradient that diverged must not look like one. Asked for by its bits. */
const isNanWgsl = `
fn isNan(v: T) -> vec4<bool> {
  return (bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}`;

function clipWgsl({ clipNorm, clipValue }: UpdateForm): string {
  const byNorm =
    clipNorm === undefined
      ? ''
      : `  let all = T(norm[0]);
  g = g * select(${float(clipNorm)} / max(all, T(${float(clipNorm)})), all, isNan(all));\n`;
  if (clipValue === undefined) return byNorm;
  return `${byNorm}  g = select(clamp(g, T(${float(-clipValue)}), T(${float(clipValue)})), g, isNan(g));\n`;
}

export const traitsBinding = { name: 'traits', type: 'array<vec4<f32>>', access: 'read' } as const;

function updateOp(form: UpdateForm, length: number): NeuralOp {
  const { optimizer, clipNorm, hasTraits } = form;
  const slots = Array.from({ length: optimizerSlots(optimizer) }, (_, k) => changeVectors(`slot${k}`));
  return {
    name: `update ${JSON.stringify(form)}[${length}]`,
    storage: [
      changeVectors('parameters'),
      changeVectors('gradients'),
      ...slots,
      ...(hasTraits ? [traitsBinding] : []),
      ...(clipNorm === undefined ? [] : [readFloats('norm')]),
    ],
    uniforms: [updateUniform],
    workgroupSize: 256,
    declarations: `${vectorAliases(4)}\n${isNanWgsl}`,
    body: `
  let i = flat;
  if (i >= ${length / 4}u) { return; }
  let w = parameters[i];
${rawGradientWgsl(form)}
${clipWgsl(form)}${optimizerWgsl(optimizer, hasTraits)}
  gradients[i] = T(0.0f);`,
    reference: updateReference(form, length),
    wasm: updateKernel(form, length),
  };
}

/** Workgroups of the sum of squares: fixed, so that the order is. */
const NORM_GROUPS = 256;

/** Sum of squares of one piece of the gradients, into `squares` from `offset`. */
function squaresOp(form: UpdateForm, length: number, offset: number): NeuralOp {
  return {
    name: `gradientSquares ${form.hasTraits ? 'traits' : ''}[${length}; ${offset}]`,
    storage: [
      ...(form.hasTraits ? [readVectors('parameters'), traitsBinding] : []),
      readVectors('gradients'),
      changeFloats('squares'),
    ],
    uniforms: [updateUniform],
    workgroupSize: ROW_LANES,
    declarations: `${vectorAliases(4)}\n${rowTreeWgsl}`,
    body: `
  var part = 0.0f;
  for (var i = flat; i < ${length / 4}u; i += ${NORM_GROUPS * ROW_LANES}u) {
${form.hasTraits ? '    let w = parameters[i];' : ''}
${rawGradientWgsl(form)}
    part += dot(g, g);
  }
  let sum = rowSum(lane, part);
  if (lane == 0u) { squares[${offset}u + group.x] = sum; }`,
    reference: (inputs) => {
      const squares = floatsOf(inputs, 'squares');
      const raw = rawGradient(inputs, form);
      for (let group = 0; group < NORM_GROUPS; group += 1) {
        let sum = 0;
        const stride = NORM_GROUPS * ROW_LANES * 4;
        for (let start = group * ROW_LANES * 4; start < length; start += stride) {
          const end = Math.min(start + ROW_LANES * 4, length);
          for (let i = start; i < end; i += 1) {
            const g = raw(i);
            sum += g * g;
          }
        }
        squares[offset + group] = sum;
      }
    },
    wasm: squaresKernel(length, offset, NORM_GROUPS, form.hasTraits),
  };
}

function normOp(pieces: number): Op {
  const count = pieces * NORM_GROUPS;
  return {
    name: `gradientNorm[${count}]`,
    storage: [readFloats('squares'), changeFloats('norm')],
    uniforms: [],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `
  var part = 0.0f;
  for (var i = lane; i < ${count}u; i += ${ROW_LANES}u) { part += squares[i]; }
  let sum = rowSum(lane, part);
  if (lane == 0u) { norm[0] = sqrt(sum); }`,
    reference: (inputs) => {
      let sum = 0;
      for (const square of floatsOf(inputs, 'squares')) sum += square;
      floatsOf(inputs, 'norm')[0] = Math.sqrt(sum);
    },
  };
}

/** Views of one piece of the flat arrays, by the update op's binding names. */
export interface UpdatePiece {
  readonly length: number;
  readonly buffers: Readonly<Record<string, string>>;
}

/** Floats of the buffer "squares". */
export const squaresLength = (pieces: number): number => pieces * NORM_GROUPS;

export function updateCalls(form: UpdateForm, pieces: readonly UpdatePiece[]): KernelCall[] {
  const pick = (op: Op, buffers: Readonly<Record<string, string>>) =>
    Object.fromEntries(op.storage.map(({ name }) => [name, buffers[name] ?? name]));
  const shared = { layer: '', phase: 'update' as const };
  const norms: KernelCall[] = [];
  if (form.clipNorm !== undefined) {
    pieces.forEach(({ length, buffers }, k) => {
      const op = squaresOp(form, length, k * NORM_GROUPS);
      const cost = () => ({ flop: 2 * length, bytes: 4 * length });
      norms.push({ ...shared, op, buffers: pick(op, buffers), groups: () => [NORM_GROUPS, 1], cost });
    });
    const op = normOp(pieces.length);
    const cost = () => ({ flop: squaresLength(pieces.length), bytes: 4 * squaresLength(pieces.length) });
    norms.push({ ...shared, op, buffers: pick(op, {}), groups: () => [1, 1], cost });
  }
  const updates = pieces.map(({ length, buffers }): KernelCall => {
    const op = updateOp(form, length);
    return {
      ...shared,
      op,
      buffers: pick(op, buffers),
      groups: () => groupsFor(op, length / 4),
      cost: () => ({ flop: 10 * length, bytes: 4 * length * (4 + 2 * optimizerSlots(form.optimizer)) }),
    };
  });
  return [...norms, ...updates];
}

/** moving ← momentum·moving + (1 − momentum)·mean over microbatches; the sums become zero. */
export function statisticsUpdate(length: number): KernelCall {
  const op: Op = {
    name: `updateStatistics[${length}]`,
    storage: [changeVectors('statistics'), changeVectors('statisticsSums'), readVectors('momentums')],
    uniforms: [updateUniform],
    workgroupSize: 256,
    declarations: vectorAliases(4),
    body: `
  if (flat >= ${length / 4}u) { return; }
  let mean = statisticsSums[flat] * update.statisticsScale;
  statistics[flat] = mean + momentums[flat] * (statistics[flat] - mean);
  statisticsSums[flat] = T(0.0f);`,
    reference: (inputs) => {
      const statistics = floatsOf(inputs, 'statistics');
      const sums = floatsOf(inputs, 'statisticsSums');
      const momentums = floatsOf(inputs, 'momentums');
      const scale = inputs.uniforms['update']?.['statisticsScale'] ?? 0;
      for (let i = 0; i < length; i += 1) {
        const mean = sums[i]! * scale;
        statistics[i] = mean + momentums[i]! * (statistics[i]! - mean);
        sums[i] = 0;
      }
    },
  };
  return {
    op,
    buffers: { statistics: 'statistics', statisticsSums: 'statisticsSums', momentums: 'momentums' },
    groups: () => groupsFor(op, length / 4),
    cost: () => ({ flop: 3 * length, bytes: 20 * length }),
    layer: '',
    phase: 'update',
  };
}
