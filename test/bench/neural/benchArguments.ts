// Arguments of neural.bench.ts.

import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Small sizes, few layers. */
  readonly quick: boolean;
  readonly only: 'all' | 'cpu' | 'kernels' | 'step';
  /** Where the figures are written as JSON. */
  readonly json: string | undefined;
  readonly batch: number | undefined;
  /** Leave tfjs and jax-js out. */
  readonly alone: boolean;
  /** Time the net's own tiles too, as a worker with `tuneKernels` does, and make steps with them. */
  readonly tuned: boolean;
}

export function benchArguments(): BenchArguments {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: 'all' },
      json: { type: 'string' },
      batch: { type: 'string' },
      alone: { type: 'boolean', default: false },
      tuned: { type: 'boolean', default: false },
    },
  });
  const { quick, only, json, batch, alone, tuned } = values;
  if (only !== 'all' && only !== 'cpu' && only !== 'kernels' && only !== 'step') {
    throw new RangeError(`--only is cpu, kernels or step, not ${only}.`);
  }
  return { quick, only, json, batch: batch === undefined ? undefined : Number(batch), alone, tuned };
}
