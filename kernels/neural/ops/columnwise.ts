// Ops over [rows, columns] whose every element comes from the elements at the same place and from the value of its column: a
// bias, a slope for each channel. One thread a vector.

import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { PLUS_COLUMN } from '../../wasm/assembly/neural/kernelNumbers.ts';
import { columnwiseKernel } from '../jobs/tableJobs.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { changeVectors, readVectors, vectorAliases, widthOf } from './vectors.ts';

export interface ColumnwiseFormula {
  readonly name: string;
  /** Whether there is an array `x` beside the result. */
  readonly readsX: boolean;
  /** The formula sees what the result held as `before`; else it is overwritten unseen. */
  readonly updates: boolean;
  /** WGSL of the new value (type T) from `column` (of the table), and `x` and `before` where they are there. */
  readonly expression: string;
  readonly evaluate: (column: number, x: number, before: number) => number;
  /** Number of the formula in WebAssembly. */
  readonly wasm: number;
}

export interface ColumnwiseShape {
  readonly columns: number;
  readonly rowsPerExample: number;
}

/** result += the column's value. */
export const addColumns: ColumnwiseFormula = {
  name: 'addColumns',
  readsX: false,
  updates: true,
  expression: 'before + column',
  evaluate: (column, _, before) => before + column,
  wasm: PLUS_COLUMN,
};

function columnwiseOp(formula: ColumnwiseFormula, { columns, rowsPerExample }: ColumnwiseShape): NeuralOp {
  const width = widthOf(columns);
  const { name, readsX, updates, expression, evaluate } = formula;
  return {
    name: `${name}[${rowsPerExample}×${columns}]`,
    storage: [readVectors('table'), ...(readsX ? [readVectors('xValues')] : []), changeVectors('result')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: vectorAliases(width),
    body: `
  if (flat >= batch.examples * ${(rowsPerExample * columns) / width}u) { return; }
  let column = table[flat % ${columns / width}u];
${readsX ? '  let x = xValues[flat];' : ''}
${updates ? '  let before = result[flat];' : ''}
  result[flat] = ${expression};`,
    reference: (inputs) => {
      const table = floatsOf(inputs, 'table');
      const x = readsX ? floatsOf(inputs, 'xValues') : undefined;
      const result = floatsOf(inputs, 'result');
      const elements = examplesOf(inputs) * rowsPerExample * columns;
      for (let i = 0; i < elements; i += 1)
        result[i] = evaluate(table[i % columns]!, x === undefined ? 0 : x[i]!, result[i]!);
    },
    wasm: columnwiseKernel(formula.wasm, readsX, columns, rowsPerExample),
  };
}

/** @param buffers table, x where it is read, result. */
export function columnwise(
  context: KernelContext,
  phase: Phase,
  formula: ColumnwiseFormula,
  shape: ColumnwiseShape,
  { table, x, result }: { readonly table: string; readonly x?: string; readonly result: string },
): KernelPlan {
  const op = columnwiseOp(formula, shape);
  const elements = shape.rowsPerExample * shape.columns;
  const touched = 1 + Number(formula.readsX) + Number(formula.updates);
  const call = {
    op,
    buffers: { table, ...(formula.readsX && x !== undefined && { xValues: x }), result },
    groups: (examples: number) => groupsFor(op, (examples * elements) / widthOf(shape.columns)),
    cost: (examples: number) => ({ flop: examples * elements, bytes: 4 * examples * elements * touched }),
    layer: context.layer,
    phase,
  };
  return { calls: [call], workspaceBytes: 0 };
}
