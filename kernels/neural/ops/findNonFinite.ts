// Raises a flag where an array holds NaN or an infinity: how a run that diverged finds the layer where it began.

import type { Op } from '../../gpu/op.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { KernelCall, Phase } from '../kernelCall.ts';
import { batchUniform, examplesOf, floatsOf } from '../kernelCall.ts';
import { readFloats } from './vectors.ts';

/** flag[0] = 1 if any of the array's floats is not finite: `perExample` of each example, else `length`. */
export function findNonFinite(
  layer: string,
  phase: Phase,
  values: string,
  size: { readonly length: number; readonly perExample: boolean },
  flag: string,
): KernelCall {
  const { length, perExample } = size;
  const op: Op = {
    name: `findNonFinite[${perExample ? 'examples × ' : ''}${length}]`,
    storage: [readFloats('values'), { name: 'flag', type: 'atomic<u32>', access: 'read_write' }],
    uniforms: [batchUniform],
    workgroupSize: 256,
    declarations: '',
    body: `
  if (flat >= ${perExample ? 'batch.examples * ' : 'min(batch.examples, 1u) * '}${length}u) { return; }
  // All bits of the exponent are set.
  if ((bitcast<u32>(values[flat]) & 0x7f800000u) == 0x7f800000u) { atomicOr(&flag, 1u); }`,
    reference: (inputs) => {
      const array = floatsOf(inputs, 'values');
      const found = inputs.storage['flag']!;
      const count = perExample ? examplesOf(inputs) * length : length;
      for (let i = 0; i < count; i += 1) if (!Number.isFinite(array[i]!)) found[0] = 1;
    },
  };
  return {
    op,
    buffers: { values, flag },
    groups: (examples) => groupsFor(op, perExample ? examples * length : length),
    cost: (examples) => ({ flop: examples * length, bytes: 4 * examples * length }),
    layer,
    phase,
  };
}
