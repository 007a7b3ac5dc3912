// What an adapter can do at best, to print figures as a share of: multiply-adds a second in registers, bytes a second
// through a copy, and what one more dispatch costs.

import type { Op } from '../../../kernels/gpu/op.ts';
import { groupsFor } from '../../../kernels/gpu/op.ts';
import type { KernelCall } from '../../../kernels/neural/kernelCall.ts';
import type { PlanTimer } from '../../../kernels/neural/product/planTimer.ts';

/** Loop turns of a thread, and vectors of four that it multiplies in each: independent, to hide latency. */
const TURNS = 256;
const VECTORS = 8;
const UNROLLED = 4;
/** Measurements of the peak, of which the fastest counts. */
const WARM_UPS = 8;

function noReference(): never {
  throw new RangeError('A bench kernel has no reference.');
}

const names = Array.from({ length: VECTORS }, (_, i) => `v${i}`);
const multiplyOp: Op = {
  name: 'multiply-adds in registers',
  storage: [{ name: 'numbers', type: 'array<vec4<f32>>', access: 'read_write' }],
  uniforms: [],
  workgroupSize: 256,
  declarations: '',
  body: `
  let start = numbers[flat % arrayLength(&numbers)];
  let factor = start * 0.5;
  let term = start + 1.0;
  ${names.map((name, i) => `var ${name} = start + ${i}.0;`).join(' ')}
  for (var i = 0u; i < ${TURNS}u; i++) {
    ${Array.from({ length: UNROLLED }, () => names.map((name) => `${name} = ${name} * factor + term;`).join(' ')).join('\n    ')}
  }
  let sum = ${names.join(' + ')};
  // Never true, but no compiler knows.
  if (sum.x == 12345.678) { numbers[flat % arrayLength(&numbers)] = sum; }`,
  reference: noReference,
};

const copyOp: Op = {
  name: 'copy',
  storage: [
    { name: 'numbers', type: 'array<vec4<f32>>', access: 'read' },
    { name: 'copied', type: 'array<vec4<f32>>', access: 'read_write' },
  ],
  uniforms: [],
  workgroupSize: 256,
  declarations: '',
  body: 'if (flat < arrayLength(&numbers)) { copied[flat] = numbers[flat]; }',
  reference: noReference,
};

const touchOp: Op = {
  name: 'touch',
  storage: [{ name: 'numbers', type: 'array<f32>', access: 'read_write' }],
  uniforms: [],
  workgroupSize: 64,
  declarations: '',
  body: 'numbers[flat] += 1.0;',
  reference: noReference,
};

function callOf(op: Op, invocations: number): KernelCall {
  const buffers = Object.fromEntries(op.storage.map(({ name }) => [name, name]));
  return {
    op,
    buffers,
    groups: () => groupsFor(op, invocations),
    cost: () => ({ flop: 0, bytes: 0 }),
    layer: '',
    phase: 'forward',
  };
}

export interface AdapterPeaks {
  readonly flopPerSecond: number;
  readonly bytesPerSecond: number;
  readonly dispatchSeconds: number;
}

export async function measurePeaks(
  timer: PlanTimer,
  size: { readonly threads: number; readonly copyBytes: number },
): Promise<AdapterPeaks> {
  const time = (calls: readonly KernelCall[], bufferBytes: Record<string, number>): Promise<number> =>
    timer.time({ plan: { calls, workspaceBytes: 0 }, bufferBytes, workspace: 'workspace', examples: 1 });
  const { threads, copyBytes } = size;
  let multiply = Infinity;
  // A GPU that was idle takes a while to come to its full clock.
  for (let i = 0; i < WARM_UPS; i += 1) {
    multiply = Math.min(multiply, await time([callOf(multiplyOp, threads)], { numbers: 16 * 1024 }));
  }
  const copy = await time([callOf(copyOp, copyBytes / 16)], { numbers: copyBytes, copied: copyBytes });
  const dispatches = 200;
  const touch = await time(
    Array.from({ length: dispatches }, () => callOf(touchOp, 64)),
    { numbers: 256 },
  );
  return {
    flopPerSecond: (threads * TURNS * UNROLLED * VECTORS * 4 * 2) / multiply,
    bytesPerSecond: (2 * copyBytes) / copy,
    dispatchSeconds: touch / dispatches,
  };
}
