// The penalties of the weights that are trained, l1 · Σ|w| + l2 · Σw², which losses are told with: partial sums over pieces of
// the flat parameters, then their sum.

import type { Op } from '../../gpu/op.ts';
import type { KernelCall } from '../kernelCall.ts';
import { floatsOf } from '../kernelCall.ts';
import { ROW_LANES, rowTreeWgsl } from './rows.ts';
import { traitsBinding, type UpdatePiece } from './update.ts';
import { BLOCK_LENGTH, TRAIT_FLOATS } from '../updateForm.ts';
import { changeFloats, readFloats, readVectors, vectorAliases } from './vectors.ts';

/** Workgroups of the partial sums: fixed, so that the order is. */
const GROUPS = 256;

/** Floats of the buffer "penalties". */
export const penaltiesLength = (pieces: number): number => pieces * GROUPS;

/** Of one piece of the parameters, into `penalties` from `offset`. */
function penaltiesOp(length: number, offset: number): Op {
  return {
    name: `penalties[${length}; ${offset}]`,
    storage: [readVectors('parameters'), traitsBinding, changeFloats('penalties')],
    uniforms: [],
    workgroupSize: ROW_LANES,
    declarations: `${vectorAliases(4)}\n${rowTreeWgsl}`,
    body: `
  var part = 0.0f;
  for (var i = flat; i < ${length / 4}u; i += ${GROUPS * ROW_LANES}u) {
    let w = parameters[i];
    let trait_ = traits[i / ${BLOCK_LENGTH / 4}u];
    part += trait_.z * (trait_.x * dot(abs(w), T(1.0f)) + trait_.y * dot(w, w));
  }
  let sum = rowSum(lane, part);
  if (lane == 0u) { penalties[${offset}u + group.x] = sum; }`,
    reference: (inputs) => {
      const parameters = floatsOf(inputs, 'parameters');
      const traits = floatsOf(inputs, 'traits');
      const penalties = floatsOf(inputs, 'penalties');
      const stride = GROUPS * ROW_LANES * 4;
      for (let group = 0; group < GROUPS; group += 1) {
        let sum = 0;
        for (let start = group * ROW_LANES * 4; start < length; start += stride) {
          const end = Math.min(start + ROW_LANES * 4, length);
          for (let i = start; i < end; i += 1) {
            const at = Math.floor(i / BLOCK_LENGTH) * TRAIT_FLOATS;
            const w = parameters[i]!;
            sum += traits[at + 2]! * (traits[at]! * Math.abs(w) + traits[at + 1]! * w * w);
          }
        }
        penalties[offset + group] = sum;
      }
    },
  };
}

/** Into `totals[place]`. */
function penaltySumOp(pieces: number, place: number): Op {
  const count = penaltiesLength(pieces);
  return {
    name: `penaltySum[${count}; ${place}]`,
    storage: [readFloats('penalties'), changeFloats('totals')],
    uniforms: [],
    workgroupSize: ROW_LANES,
    declarations: rowTreeWgsl,
    body: `
  var part = 0.0f;
  for (var i = lane; i < ${count}u; i += ${ROW_LANES}u) { part += penalties[i]; }
  let sum = rowSum(lane, part);
  if (lane == 0u) { totals[${place}u] = sum; }`,
    reference: (inputs) => {
      let sum = 0;
      for (const penalty of floatsOf(inputs, 'penalties')) sum += penalty;
      floatsOf(inputs, 'totals')[place] = sum;
    },
  };
}

/** @param pieces with parameters and traits. */
export function penaltyCalls(pieces: readonly UpdatePiece[], place: number): KernelCall[] {
  const shared = { layer: '', phase: 'forward' as const };
  const partial = pieces.map(({ length, buffers }, k): KernelCall => {
    const { parameters = 'parameters', traits = 'traits' } = buffers;
    return {
      ...shared,
      op: penaltiesOp(length, k * GROUPS),
      buffers: { parameters, traits, penalties: 'penalties' },
      groups: () => [GROUPS, 1],
      cost: () => ({ flop: 4 * length, bytes: 4 * length }),
    };
  });
  const count = penaltiesLength(pieces.length);
  const sum: KernelCall = {
    ...shared,
    op: penaltySumOp(pieces.length, place),
    buffers: { penalties: 'penalties', totals: 'totals' },
    groups: () => [1, 1],
    cost: () => ({ flop: count, bytes: 4 * count }),
  };
  return [...partial, sum];
}
