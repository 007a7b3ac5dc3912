// Sums over rows, for each column of a [rows, columns] matrix: gradients of biases, of batch norm and of layer norm.
// First blocks of rows (columnBlocks.ts), then the blocks; what comes out is added to gradients.

import type { Op, StorageBinding } from '../../gpu/op.ts';
import type { KernelPlan } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { ColumnBlocks, ReductionContext } from './columnBlocks.ts';
import { addUpWgsl, columnBlocks, laneWgsl } from './columnBlocks.ts';
import { changeVectors, readFloats, readVectors, vectorAliases } from './vectors.ts';

/** One array that the terms read: an element of the matrix, or a value of its column or its row. */
export interface ColumnRead {
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
  /** The same, from the arrays in the order of `reads`: term `k` at this place. */
  readonly evaluate: (
    arrays: readonly Float32Array[],
  ) => (k: number, i: number, row: number, column: number) => number;
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

function blockSumsOp(
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  blocks: ColumnBlocks,
): Op {
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  const { terms, reads } = formula;
  return {
    name: `${formula.name}Blocks[${rowsPerExample}×${columns}]`,
    storage: [...bindings(reads), changeVectors('partials')],
    uniforms: [batchUniform],
    workgroupSize: blocks.workgroupSize,
    declarations: `${vectorAliases(blocks.width)}\n${addUpWgsl(blocks)}`,
    body: `${laneWgsl(blocks)}
  let end = min((group.y + 1u) * ${rowsPerBlock}u, batch.examples * ${rowsPerExample}u);
${terms.map((_, k) => `  var sum${k} = T(0.0f);`).join('\n')}
  if (inside) {
    for (var row = group.y * ${rowsPerBlock}u + rowLane; row < end; row += ${rowLanes}u) {
      let i = row * ${vectors}u + column;
${reads.map((read) => load(read, vectors)).join('\n')}
${terms.map((term, k) => `      sum${k} += ${term};`).join('\n')}
    }
  }
${terms.map((_, k) => `  let all${k} = addUp(lane, sum${k});`).join('\n')}
  if (inside && rowLane == 0u) {
${terms.map((_, k) => `    partials[(${k * maxBlocks}u + group.y) * ${vectors}u + column] = all${k};`).join('\n')}
  }`,
    reference: (inputs) => {
      const rows = examplesOf(inputs) * rowsPerExample;
      const partials = floatsOf(inputs, 'partials');
      const term = formula.evaluate(reads.map((read) => floatsOf(inputs, `${arrayOf(read)}Values`)));
      const sums = new Float64Array(columns);
      for (let first = 0, block = 0; first < rows; first += rowsPerBlock, block += 1) {
        for (let k = 0; k < terms.length; k += 1) {
          sums.fill(0);
          const end = Math.min(first + rowsPerBlock, rows);
          for (let row = first, i = first * columns; row < end; row += 1) {
            for (let column = 0; column < columns; column += 1, i += 1) {
              sums[column]! += term(k, i, row, column);
            }
          }
          partials.set(sums, (k * maxBlocks + block) * columns);
        }
      }
    },
  };
}

function finishOp(
  formula: ColumnFormula,
  columns: number,
  rowsPerExample: number,
  blocks: ColumnBlocks,
  targets: ColumnTargets,
): Op {
  const { vectors, rowsPerBlock, rowLanes, maxBlocks } = blocks;
  const terms = formula.terms.map((_, k) => k);
  const added = terms.filter((k) => targets.gradients[k] !== undefined);
  const keeps = targets.sums !== undefined;
  const written = added.map((k) => `    gradient${k}[column] += all${k};`);
  if (keeps) written.push(...terms.map((k) => `    sums[${k * vectors}u + column] = all${k};`));
  return {
    name: `columnSums[${rowsPerExample}×${columns}; ${added.join(',')}${keeps ? ' kept' : ''}]`,
    storage: [
      readVectors('partials'),
      ...added.map((k) => changeVectors(`gradient${k}`)),
      ...(keeps ? [changeVectors('sums')] : []),
    ],
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
${written.join('\n')}
  }`,
    reference: (inputs) => {
      const used = Math.ceil((examplesOf(inputs) * rowsPerExample) / rowsPerBlock);
      const partials = floatsOf(inputs, 'partials');
      for (const k of terms) {
        const gradient = added.includes(k) ? floatsOf(inputs, `gradient${k}`) : undefined;
        const sums = keeps ? floatsOf(inputs, 'sums') : undefined;
        for (let column = 0; column < columns; column += 1) {
          let sum = 0;
          for (let block = 0; block < used; block += 1) {
            sum += partials[(k * maxBlocks + block) * columns + column]!;
          }
          if (gradient) gradient[column]! += sum;
          if (sums) sums[k * columns + column] = sum;
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
  const first = blockSumsOp(formula, columns, rowsPerExample, blocks);
  const last = finishOp(formula, columns, rowsPerExample, blocks, targets);
  const blocksOf = (examples: number) => Math.ceil((examples * rowsPerExample) / blocks.rowsPerBlock);
  const { layer, workspace } = context;
  const elements = formula.reads.filter(({ of }) => of === 'element').length;
  const gradients = targets.gradients.flatMap((gradient, k) =>
    gradient === undefined ? [] : [[`gradient${k}`, gradient]],
  );
  return {
    calls: [
      {
        op: first,
        buffers: {
          ...Object.fromEntries(
            formula.reads.map((read) => [`${arrayOf(read)}Values`, buffers[arrayOf(read)] ?? '']),
          ),
          partials: workspace,
        },
        groups: (examples) => [blocks.columnGroups, blocksOf(examples)],
        cost: (examples) => ({
          flop: 2 * formula.terms.length * examples * rowsPerExample * columns,
          bytes: 4 * elements * examples * rowsPerExample * columns,
        }),
        layer,
        phase: 'backward',
      },
      {
        op: last,
        buffers: {
          partials: workspace,
          ...(Object.fromEntries(gradients) as Record<string, string>),
          ...(targets.sums !== undefined && { sums: targets.sums }),
        },
        groups: () => [blocks.columnGroups, 1],
        cost: (examples) => ({
          flop: blocksOf(examples) * columns * formula.terms.length,
          bytes: 4 * blocksOf(examples) * columns * formula.terms.length,
        }),
        layer,
        phase: 'backward',
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
};
