// Adds the parts of a product that was summed in parts, always in the same order, and finishes the sum. One thread an
// element (four neighbouring ones where the columns allow).

import type { Op } from '../../gpu/op.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import type { Finish } from './finish.ts';
import { activate, finishElement } from './finish.ts';
import { arrayType, isQuads } from './wgslText.ts';

export interface SumPartials {
  readonly name: string;
  /** Elements of the result, for one example or (`perExample` false) in all. */
  readonly elements: number;
  readonly perExample: boolean;
  readonly columns: number;
  readonly splits: number;
  /** Elements of `partial` from one part to the next, and before the first. */
  readonly partialStride: number;
  readonly partialOffset: number;
  readonly finish: Finish;
}

const WORKGROUP_SIZE = 64;

export function sumThreads({ elements, perExample, columns }: SumPartials, examples: number): number {
  return (elements * (perExample ? examples : 1)) / (isQuads(columns) ? 4 : 1);
}

export function sumPartialsOp(sum: SumPartials): Op {
  const { columns, splits, finish, perExample, elements, partialStride, partialOffset } = sum;
  const unit = isQuads(columns) ? 4 : 1;
  const type = unit === 4 ? 'vec4<f32>' : 'f32';
  const element = { index: 'flat', column: `(flat % ${columns / unit}u)`, value: 'sum', type };
  return {
    name: sum.name,
    storage: [
      { name: 'partial', type: arrayType(columns), access: 'read' },
      ...(finish.bias ? [{ name: 'bias', type: arrayType(columns), access: 'read' } as const] : []),
      { name: 'result', type: arrayType(columns), access: 'read_write' },
    ],
    uniforms: perExample ? [batchUniform] : [],
    workgroupSize: WORKGROUP_SIZE,
    declarations: '',
    body: `
  if (flat >= ${elements / unit}u${perExample ? ' * batch.examples' : ''}) { return; }
  var sum = partial[${partialOffset / unit}u + flat];
  for (var part = 1u; part < ${splits}u; part++) {
    sum += partial[${partialOffset / unit}u + part * ${partialStride / unit}u + flat];
  }
  ${finishElement(finish, element)}`,
    reference: (inputs) => {
      const partial = floatsOf(inputs, 'partial');
      const bias = finish.bias ? floatsOf(inputs, 'bias') : undefined;
      const result = floatsOf(inputs, 'result');
      const count = elements * (perExample ? examplesOf(inputs) : 1);
      for (let i = 0; i < count; i += 1) {
        let total = bias?.[i % columns] ?? 0;
        for (let part = 0; part < splits; part += 1)
          total += partial[partialOffset + part * partialStride + i] ?? 0;
        result[i] = (finish.accumulate ? (result[i] ?? 0) : 0) + activate(finish.activation, total);
      }
    },
  };
}
