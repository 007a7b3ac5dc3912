// Sums over rows, for each column of a [rows, columns] matrix: gradients of biases, of batch norm and of layer norm.
// First blocks of rows (columnBlocks.ts), then the blocks, or few rows at once; what comes out is added to gradients.

import type { Op, OpInputs, StorageBinding } from '../../gpu/op.ts';
import { ROWS, TERMS_TOGETHER } from '../../wasm/assembly/neural/kernelNumbers.ts';
import type { KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { type ColumnPlace, columnSumsKernel } from '../jobs/columnJobs.ts';
import type { ColumnBlocks, ReductionContext } from './columnBlocks.ts';
import { addUpWgsl, columnBlocks, laneWgsl, mergingBlocks } from './columnBlocks.ts';
import { changeVectors, readFloats, readVectors, vectorAliases } from './vectors.ts';

/** One array that the terms read: an element of the matrix, or a value of its column or its row. */
interface ColumnRead {
  readonly name: string;
  readonly of: 'column' | 'element' | 'row';
  /** Of a column: which row of the table [rows][columns] that `in` names. */
  readonly table?: { readonly in: string; readonly row: number };
}

export interface ColumnFormula {
  readonly name: string;
  readonly reads: readonly ColumnRead[];
  /** One or two WGSL expressions of the reads by name (T; f32 where of a row). */
  readonly terms: readonly string[];
  /** The same in f32, from the arrays in the order of `reads`: term `k` at this place. */
  readonly evaluate: (
    arrays: readonly Float32Array[],
  ) => (k: number, i: number, row: number, column: number) => number;
  /** Number of the formula in WebAssembly, which knows the reads by their names. */
  readonly wasm: number;
}

/** What becomes of the sum of term k. */
export interface ColumnTargets {
  /** Buffers of [columns] to which sums are added. */
  readonly gradients: readonly (string | undefined)[];
  /** Buffer of [terms][columns] that receives the sums, for kernels that follow. */
  readonly sums?: string;
}

function arrayOf({ name, table }: ColumnRead): string {
  return table?.in ?? name;
}

/** One binding an array, though several reads may look into it. */
function bindings(reads: readonly ColumnRead[]): StorageBinding[] {
  const ofRows = new Map(reads.map((read) => [arrayOf(read), read.of === 'row']));
  return [...ofRows].map(([name, ofRow]) =>
    ofRow ? readFloats(`${name}Values`) : readVectors(`${name}Values`),
  );
}

function load(read: ColumnRead, vectors: number): string {
  const { name, of, table } = read;
  const place = { column: `${(table?.row ?? 0) * vectors}u + column`, element: 'i', row: 'row' }[of];
  return `      let ${name} = ${arrayOf(read)}Values[${place}];`;
}

/** `all0`, `all1`: the sums of the terms over the rows from `first` to `end`, for every lane of the column. */
function sumsWgsl({ terms, reads }: ColumnFormula, { vectors, rowLanes }: ColumnBlocks): string {
  return `
${terms.map((_, k) => `  var sum${k} = T(0.0f);`).join('\n')}
  if (inside) {
    for (var row = first + rowLane; row < end; row += ${rowLanes}u) {
      let i = row * ${vectors}u + column;
${reads.map((read) => load(read, vectors)).join('\n')}
${terms.map((term, k) => `      sum${k} += ${term};`).join('\n')}
    }
  }
${terms.map((_, k) => `  let all${k} = addUp(lane, sum${k});`).join('\n')}`;
}

/** The same: term k's sums of these rows, TERMS_TOGETHER at a time. */
function sumsReference(formula: ColumnFormula, inputs: OpInputs, columns: number) {
  const arrays = formula.reads.map((read) => floatsOf(inputs, `${arrayOf(read)}Values`));
  const term = formula.evaluate(arrays);
  return (k: number, first: number, end: number): Float32Array => {
    const totals = new Float32Array(columns);
    const sums = new Float32Array(columns);
    for (let start = first; start < end; start += TERMS_TOGETHER) {
      sums.fill(0);
      const stop = Math.min(end, start + TERMS_TOGETHER);
      for (let row = start, i = start * columns; row < stop; row += 1) {
        for (let column = 0; column < columns; column += 1, i += 1) sums[column]! += term(k, i, row, column);
      }
      for (let column = 0; column < columns; column += 1) totals[column]! += sums[column]!;
    }
    return totals;
  };
}

function blockSumsOp(
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  blocks: ColumnBlocks,
): NeuralOp {
  const { vectors, rowsPerBlock, maxBlocks } = blocks;
  const { terms, reads } = formula;
  const places = reads.map((read) => {
    return [read.name, { binding: `${arrayOf(read)}Values`, offset: (read.table?.row ?? 0) * columns }];
  });
  return {
    name: `${formula.name}Blocks[${rowsPerExample}×${columns}]`,
    storage: [...bindings(reads), changeVectors('partials')],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let first = group.y * ${rowsPerBlock}u;
  let end = min(first + ${rowsPerBlock}u, batch.examples * ${rowsPerExample}u);
${sumsWgsl(formula, blocks)}
  if (inside && rowLane == 0u) {
${terms.map((_, k) => `    partials[(${k * maxBlocks}u + group.y) * ${vectors}u + column] = all${k};`).join('\n')}
  }`,
    reference: (inputs) => {
      const rows = examplesOf(inputs) * rowsPerExample;
      const partials = floatsOf(inputs, 'partials');
      const sumsOf = sumsReference(formula, inputs, columns);
      for (let first = 0, block = 0; first < rows; first += rowsPerBlock, block += 1) {
        const end = Math.min(first + rowsPerBlock, rows);
        for (let k = 0; k < terms.length; k += 1) {
          partials.set(sumsOf(k, first, end), (k * maxBlocks + block) * columns);
        }
      }
    },
    wasm: columnSumsKernel(
      formula.wasm,
      Object.fromEntries(places) as Record<string, ColumnPlace>,
      columns,
      rowsPerExample,
      blocks,
    ),
  };
}

/** What an op does with the sums `all0`, `all1`. */
function ending({ terms }: ColumnFormula, columns: number, vectors: number, targets: ColumnTargets) {
  const places = terms.map((_, k) => k);
  const added = places.filter((k) => targets.gradients[k] !== undefined);
  const keeps = targets.sums !== undefined;
  const written = added.map((k) => `    gradient${k}[column] += all${k};`);
  if (keeps) written.push(...places.map((k) => `    sums[${k * vectors}u + column] = all${k};`));
  return {
    name: `${added.join(',')}${keeps ? ' kept' : ''}`,
    storage: [...added.map((k) => changeVectors(`gradient${k}`)), ...(keeps ? [changeVectors('sums')] : [])],
    wgsl: written.join('\n'),
    reference: (inputs: OpInputs) => (k: number, column: number, sum: number) => {
      if (added.includes(k)) floatsOf(inputs, `gradient${k}`)[column]! += sum;
      if (keeps) floatsOf(inputs, 'sums')[k * columns + column] = sum;
    },
  };
}

/** All rows in one dispatch. */
function wholeSumsOp(
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  blocks: ColumnBlocks,
  targets: ColumnTargets,
): Op {
  const end = ending(formula, columns, blocks.vectors, targets);
  return {
    name: `${formula.name}[${rowsPerExample}×${columns}; ${end.name} at once]`,
    storage: [...bindings(formula.reads), ...end.storage],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let first = 0u;
  let end = batch.examples * ${rowsPerExample}u;
${sumsWgsl(formula, blocks)}
  if (inside && rowLane == 0u) {
${end.wgsl}
  }`,
    reference: (inputs) => {
      const sumsOf = sumsReference(formula, inputs, columns);
      const take = end.reference(inputs);
      const rows = examplesOf(inputs) * rowsPerExample;
      formula.terms.forEach((_, k) => sumsOf(k, 0, rows).forEach((sum, column) => take(k, column, sum)));
    },
  };
}

/** Sums from those of blocks. `blocks` is the second dispatch's. */
function finishOp(
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  blocks: ColumnBlocks,
  targets: ColumnTargets,
): Op {
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  const terms = formula.terms.map((_, k) => k);
  const end = ending(formula, columns, vectors, targets);
  return {
    name: `columnSums[${rowsPerExample}×${columns}; ${end.name}]`,
    storage: [readVectors('partials'), ...end.storage],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let blocks = (batch.examples * ${rowsPerExample}u + ${rowsPerBlock - 1}u) / ${rowsPerBlock}u;
${terms.map((k) => `  var sum${k} = T(0.0f);`).join('\n')}
  if (inside) {
    for (var block = rowLane; block < blocks; block += ${rowLanes}u) {
${terms.map((k) => `      sum${k} += partials[(${k * maxBlocks}u + block) * ${vectors}u + column];`).join('\n')}
    }
  }
${terms.map((k) => `  let all${k} = addUp(lane, sum${k});`).join('\n')}
  if (inside && rowLane == 0u) {
${end.wgsl}
  }`,
    reference: (inputs) => {
      const used = Math.ceil((examplesOf(inputs) * rowsPerExample) / rowsPerBlock);
      const partials = floatsOf(inputs, 'partials');
      const take = end.reference(inputs);
      for (const k of terms) {
        for (let column = 0; column < columns; column += 1) {
          let sum = 0;
          for (let block = 0; block < used; block += 1) {
            sum += partials[(k * maxBlocks + block) * columns + column]!;
          }
          take(k, column, sum);
        }
      }
    },
  };
}

/** @param buffers of the formula's arrays, by name. */
export function columnSums(
  context: ReductionContext,
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  buffers: Readonly<Record<string, string>>,
  targets: ColumnTargets,
): KernelPlan {
  const blocks = columnBlocks(columns, context.maxExamples * rowsPerExample, context.adapter);
  const { layer, workspace } = context;
  const elements = formula.reads.filter(({ of }) => of === 'element').length;
  const cost = (examples: number) => ({
    flop: 2 * formula.terms.length * examples * rowsPerExample * columns,
    bytes: 4 * elements * examples * rowsPerExample * columns,
  });
  const read = Object.fromEntries(
    formula.reads.map((each) => [`${arrayOf(each)}Values`, buffers[arrayOf(each)] ?? '']),
  );
  const gradients = targets.gradients.flatMap((gradient, k) =>
    gradient === undefined ? [] : [[`gradient${k}`, gradient]],
  );
  const written = {
    ...(Object.fromEntries(gradients) as Record<string, string>),
    ...(targets.sums !== undefined && { sums: targets.sums }),
  };
  const phase = 'backward';
  if (blocks.maxBlocks === 1) {
    const op = wholeSumsOp(formula, columns, rowsPerExample, blocks, targets);
    const groups = () => [blocks.columnGroups, 1] as const;
    const call = { op, buffers: { ...read, ...written }, groups, cost, layer, phase } as const;
    return { calls: [call], workspaceBytes: 0 };
  }
  const merging = mergingBlocks(columns, blocks, context.adapter);
  const blocksOf = (examples: number) => Math.ceil((examples * rowsPerExample) / blocks.rowsPerBlock);
  return {
    calls: [
      {
        op: blockSumsOp(formula, columns, rowsPerExample, blocks),
        buffers: { ...read, partials: workspace },
        groups: (examples) => [blocks.columnGroups, blocksOf(examples)],
        cost,
        layer,
        phase,
      },
      {
        op: finishOp(formula, columns, rowsPerExample, merging, targets),
        buffers: { partials: workspace, ...written },
        groups: () => [merging.columnGroups, 1],
        cost: (examples) => ({
          flop: blocksOf(examples) * columns * formula.terms.length,
          bytes: 4 * blocksOf(examples) * columns * formula.terms.length,
        }),
        layer,
        phase,
      },
    ],
    workspaceBytes: 4 * blocks.maxBlocks * columns * formula.terms.length,
  };
}

/** The gradient of a bias. */
export const sumOfRows: ColumnFormula = {
  name: 'biasGradient',
  reads: [{ name: 'gradient', of: 'element' }],
  terms: ['gradient'],
  evaluate:
    ([gradient]) =>
    (_, i) =>
      gradient![i]!,
  wasm: ROWS,
};
