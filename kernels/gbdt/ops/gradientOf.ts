// What all kinds of gradients share: everything but the formula. One thread a row; writes the pair (g, h) and puts the
// row at node 0.

import type { Op } from '../../gpu/op.ts';
import type { CpuBlock } from '../cpuBlock.ts';
import { multiplyShift, multiplyShiftSigned, weighLow } from '../fixedPoint.ts';
import { hasMarginLabels, type GradientKind } from '../gradientKinds.ts';
import type { GradientTables } from '../gradients.ts';
import { rowHash } from '../rowHash.ts';
import { multiplyShiftWgsl, rowHashWgsl, weighLowWgsl } from './fixedPointWgsl.ts';

type Pair = [gradient: number, hessian: number];

/** Rows as formulas see them. */
interface GradientRows {
  /** [output][row]. */
  readonly margins: Int32Array;
  readonly labels: Int32Array;
  readonly rows: number;
  readonly outputs: number;
}

/** A kind of gradients: XGBoost's formula (src/objective/regression_loss.h, multiclass_obj.cu) in fixed point. */
interface GradientFormula {
  readonly kind: GradientKind;
  /** The op's name. */
  readonly name: string;
  /** The table that it reads beside margins and labels: on WebGPU the storage array "sigmoidTable" or "expTable". */
  readonly table?: keyof GradientTables;
  readonly declarations: string;
  /** WGSL that sets `g: i32` and `h: u32`, from `row`, `margins`, `labels` and `call`. */
  readonly body: string;
  /**
   * The definition that devices follow to the last bit: [gradient, Hessian] of a row before weights, in probability units
   * (labels in margin units: margin units and 2^-24).
   */
  readonly ofRow: (tables: GradientTables, block: GradientRows, row: number, output: number) => Pair;
  /** The same of all rows of a block, written out as one tight loop: several times faster. The contract suite holds both equal. */
  readonly ofBlock: (tables: GradientTables, block: CpuBlock, outputs: number, output: number) => void;
}

export interface Gradient extends Pick<GradientFormula, 'ofBlock' | 'ofRow'> {
  readonly narrow: Op;
  /** The same, with low limbs of weights (behind all high ones) and of gradients (in a buffer of their own). */
  readonly wide: Op;
}

export function gradientOf(formula: GradientFormula): Gradient {
  const { ofBlock, ofRow } = formula;
  return { narrow: opOf(formula, false), wide: opOf(formula, true), ofBlock, ofRow };
}

const LOW_BODY = `
      gLow = weighLow(g, gLow, weights[row], weights[block.rows + row]);
      hLow = weighLow(i32(h), 0, weights[row], weights[block.rows + row]);`;

function opOf(formula: GradientFormula, isWide: boolean): Op {
  // The low limbs stand behind all high ones.
  const hasLowMargins = isWide && hasMarginLabels(formula.kind);
  return {
    name: isWide ? `${formula.name}Wide` : formula.name,
    storage: [
      { name: 'margins', type: 'array<i32>', access: 'read' }, // [output][row]
      { name: 'labels', type: 'array<i32>', access: 'read' }, // [row]
      { name: 'weights', type: 'array<u32>', access: 'read' }, // [row], or one word when all weigh the same
      ...(formula.table === undefined
        ? []
        : [{ name: `${formula.table}Table`, type: 'array<u32>', access: 'read' } as const]),
      { name: 'gradients', type: 'array<vec2<i32>>', access: 'read_write' }, // [row] (g, h)
      { name: 'positions', type: 'array<u32>', access: 'read_write' }, // [row] node
      ...(isWide ? [{ name: 'lowGradients', type: 'array<vec2<i32>>', access: 'read_write' } as const] : []),
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
    declarations: `${multiplyShiftWgsl}${isWide ? weighLowWgsl : ''}${rowHashWgsl}${formula.declarations}`,
    body: `
  let row = flat;
  if (row >= block.rows) { return; }
  var g = 0i;
  var h = 0u;${isWide ? '\n  var gLow = 0i;\n  var hLow = 0i;' : ''}
  if (call.sampled == 0u || rowHash(call.seed, call.round, block.firstRow + row) < call.threshold) {
${formula.body}${hasLowMargins ? '\n    gLow = margins[block.rows + row] - labels[block.rows + row];' : ''}
    if (block.weighted != 0u) {${isWide ? LOW_BODY : ''}
      g = multiplyShiftSigned(g, weights[row]);
      h = multiplyShift(h, weights[row]);
    }
  }
  gradients[row] = vec2<i32>(g, i32(h));${isWide ? '\n  lowGradients[row] = vec2<i32>(gLow, hLow);' : ''}
  positions[row] = 0u;`,
    reference: (inputs) => {
      const { gradients, positions, weights, lowGradients, margins, labels } = inputs.storage;
      const { block, call } = inputs.uniforms;
      if (!gradients || !positions || !weights || !margins || !labels || !block || !call)
        throw new RangeError('Inputs are missing.');
      const rows = block['rows'] ?? 0;
      const { outputs = 1, output = 0 } = call;
      const tables = {
        sigmoid: inputs.storage['sigmoidTable'] as Uint32Array<ArrayBuffer>,
        exp: inputs.storage['expTable'] as Uint32Array<ArrayBuffer>,
      };
      const blockRows = { margins: margins as Int32Array, labels: labels as Int32Array, rows, outputs };
      for (let row = 0; row < rows; row += 1) {
        const id = (block['firstRow'] ?? 0) + row;
        const taken =
          call['sampled'] === 0 ||
          rowHash(call['seed'] ?? 0, call['round'] ?? 0, id) < (call['threshold'] ?? 0) >>> 0;
        const [g, h] = taken ? formula.ofRow(tables, blockRows, row, output) : [0, 0];
        const weight = block['weighted'] === 1 ? weights[row] : undefined;
        gradients[2 * row] = weight === undefined ? g : multiplyShiftSigned(g, weight);
        gradients[2 * row + 1] = weight === undefined ? h : multiplyShift(h, weight);
        positions[row] = 0;
        if (!lowGradients) continue;
        const low = taken && hasLowMargins ? (margins[rows + row] ?? 0) - (labels[rows + row] ?? 0) : 0;
        const lowWeight = weights[rows + row] ?? 0;
        lowGradients[2 * row] = weight === undefined ? low : weighLow(g, low, weight, lowWeight);
        lowGradients[2 * row + 1] = weight === undefined ? 0 : weighLow(h, 0, weight, lowWeight);
      }
    },
  };
}
