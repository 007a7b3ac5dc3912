// A kernel that does atomic additions at scattered addresses and nothing else: what the adapter can do at best, to
// print histogram rates as a share of.

import type { Op } from '../../kernels/gpu/op.ts';

/** Additions of one thread. */
export const ADDITIONS_PER_THREAD = 64;

export const atomicRateOp: Op = {
  name: 'atomicRate',
  storage: [{ name: 'cells', type: 'array<atomic<u32>>', access: 'read_write' }],
  uniforms: [{ name: 'call', fields: { mask: 'u32', threads: 'u32' } }],
  workgroupSize: 256,
  declarations: '',
  body: `
  if (flat >= call.threads) { return; }
  var state = flat * 0x9e3779b1u + 1u;
  for (var i = 0u; i < ${ADDITIONS_PER_THREAD}u; i++) {
    state = state * 1664525u + 1013904223u;
    atomicAdd(&cells[(state >> 8u) & call.mask], 1u);
  }`,
  reference: ({ storage, uniforms }) => {
    const cells = storage['cells'];
    const { mask = 0, threads = 0 } = uniforms['call'] ?? {};
    if (!cells) throw new RangeError('Inputs are missing.');
    for (let thread = 0; thread < threads; thread += 1) {
      let state = (Math.imul(thread, 0x9e3779b1) + 1) >>> 0;
      for (let i = 0; i < ADDITIONS_PER_THREAD; i += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const cell = (state >>> 8) & mask;
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
    }
  },
};
