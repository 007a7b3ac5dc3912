// What the three gradient ops share: everything but the formula. One thread a row; writes the pair (g, h) and puts the
// row at node 0.

import type { Op, OpInputs, StorageBinding } from '../../gpu/op.ts';
import { multiplyShift, multiplyShiftSigned } from '../fixedPoint.ts';
import { rowHash } from '../rowHash.ts';
import { multiplyShiftWgsl, rowHashWgsl } from './fixedPointWgsl.ts';

export interface GradientFormula {
  readonly name: string;
  /** Tables that the formula reads beside margins and labels. */
  readonly tables: readonly StorageBinding[];
  readonly declarations: string;
  /** WGSL that sets `g: i32` and `h: u32`, from `row`, `margins`, `labels` and `call`. */
  readonly body: string;
  readonly reference: (inputs: OpInputs, row: number) => [gradient: number, hessian: number];
}

export function gradientOp(formula: GradientFormula): Op {
  return {
    name: formula.name,
    storage: [
      { name: 'margins', type: 'array<i32>', access: 'read' }, // [output][row]
      { name: 'labels', type: 'array<i32>', access: 'read' }, // [row]
      { name: 'weights', type: 'array<u32>', access: 'read' }, // [row], or one word when all weigh the same
      ...formula.tables,
      { name: 'gradients', type: 'array<vec2<i32>>', access: 'read_write' }, // [row] (g, h)
      { name: 'positions', type: 'array<u32>', access: 'read_write' }, // [row] node
    ],
    uniforms: [
      { name: 'block', fields: { rows: 'u32', firstRow: 'u32', weighted: 'u32' } },
      {
        name: 'call',
        fields: {
          output: 'u32',
          outputs: 'u32',
          shift: 'u32',
          round: 'u32',
          seed: 'u32',
          sampled: 'u32',
          threshold: 'u32',
        },
      },
    ],
    workgroupSize: 64,
    declarations: `${multiplyShiftWgsl}${rowHashWgsl}${formula.declarations}`,
    body: `
  let row = flat;
  if (row >= block.rows) { return; }
  var g = 0i;
  var h = 0u;
  if (call.sampled == 0u || rowHash(call.seed, call.round, block.firstRow + row) < call.threshold) {
${formula.body}
    if (block.weighted != 0u) {
      g = multiplyShiftSigned(g, weights[row]);
      h = multiplyShift(h, weights[row]);
    }
  }
  gradients[row] = vec2<i32>(g, i32(h));
  positions[row] = 0u;`,
    reference: (inputs) => {
      const { gradients, positions, weights } = inputs.storage;
      const { block, call } = inputs.uniforms;
      if (!gradients || !positions || !weights || !block || !call)
        throw new RangeError('Inputs are missing.');
      for (let row = 0; row < (block['rows'] ?? 0); row += 1) {
        const id = (block['firstRow'] ?? 0) + row;
        const taken =
          call['sampled'] === 0 ||
          rowHash(call['seed'] ?? 0, call['round'] ?? 0, id) < (call['threshold'] ?? 0) >>> 0;
        const [g, h] = taken ? formula.reference(inputs, row) : [0, 0];
        const weight = block['weighted'] === 1 ? weights[row] : undefined;
        gradients[2 * row] = weight === undefined ? g : multiplyShiftSigned(g, weight);
        gradients[2 * row + 1] = weight === undefined ? h : multiplyShift(h, weight);
        positions[row] = 0;
      }
    },
  };
}
