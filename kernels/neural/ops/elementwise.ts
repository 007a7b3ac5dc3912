// Ops whose every output element comes from the elements at the same place: one thread a vector. Activations and their
// gradients, sums and products are formulas given to this one frame.

import { groupsFor } from '../../gpu/op.ts';
import type { KernelContext, KernelPlan, Phase } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { NeuralOp } from '../neuralOp.ts';
import { elementwiseKernel, type WasmFormula } from '../jobs/elementJobs.ts';
import { changeVectors, readVectors, vectorAliases, widthOf } from './vectors.ts';

export interface ElementwiseFormula {
  /** With every constant that is in the formula. */
  readonly name: string;
  /** Names of at most two arrays that are only read. */
  readonly reads: readonly string[];
  /** WGSL of the new value (type T) from the arrays' elements by name and, where `updates`, from `before`. */
  readonly expression: string;
  readonly declarations?: string;
  /** The formula sees what the result held; else it is overwritten unseen. */
  readonly updates?: boolean;
  /** Rounded once, or, in formulas of f32, after each operation. */
  readonly evaluate: (a: number, b: number, before: number) => number;
  readonly wasm?: WasmFormula;
}

/** The op over `length` elements an example. `result` is the array that is written. */
function elementwiseOp(formula: ElementwiseFormula, length: number): NeuralOp {
  const width = widthOf(length);
  const loads = formula.reads.map((name) => `  let ${name} = ${name}Values[flat];`);
  if (formula.updates === true) loads.push('  let before = result[flat];');
  return {
    name: `${formula.name}[${length}]`,
    storage: [...formula.reads.map((name) => readVectors(`${name}Values`)), changeVectors('result')],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: `${vectorAliases(width)}\n${formula.declarations ?? ''}`,
    body: `
  if (flat >= batch.examples * ${length / width}u) { return; }
${loads.join('\n')}
  result[flat] = ${formula.expression};`,
    reference: (inputs) => {
      const [a, b] = formula.reads.map((name) => floatsOf(inputs, `${name}Values`));
      const result = floatsOf(inputs, 'result');
      const elements = examplesOf(inputs) * length;
      for (let i = 0; i < elements; i += 1) {
        result[i] = formula.evaluate(a === undefined ? 0 : a[i]!, b === undefined ? 0 : b[i]!, result[i]!);
      }
    },
    ...(formula.wasm && { wasm: elementwiseKernel(formula.wasm, formula.reads, length) }),
  };
}

/** @param buffers by the names in `reads`, and `result`. */
export function elementwise(
  context: KernelContext,
  phase: Phase,
  formula: ElementwiseFormula,
  length: number,
  buffers: Readonly<Record<string, string>>,
): KernelPlan {
  const op = elementwiseOp(formula, length);
  const width = widthOf(length);
  const touched = formula.reads.length + (formula.updates === true ? 2 : 1);
  const named = Object.entries(buffers).map(([name, buffer]) => [
    name === 'result' ? name : `${name}Values`,
    buffer,
  ]);
  return {
    calls: [
      {
        op,
        buffers: Object.fromEntries(named) as Record<string, string>,
        groups: (examples) => groupsFor(op, (examples * length) / width),
        cost: (examples) => ({ flop: examples * length, bytes: 4 * examples * length * touched }),
        layer: context.layer,
        phase,
      },
    ],
    workspaceBytes: 0,
  };
}
