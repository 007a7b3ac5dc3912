// Predicts small requests on the thread that serves HTTP: handing a row to another thread and waking it takes longer
// than predicting it here. Larger ones, and models that are slow, go to replicas.

import type { ReplicaOp } from './replica.ts';
import type { TreeProgram } from './treeProgram.ts';

/** Nothing that would hold up other requests for longer is predicted here. */
const MAX_HOLD_MS = 0.1;
const MAX_BYTES = 4_096;
/** The first runs of a function are slow, before it is compiled. */
const TRIALS = 50;

export interface SmallRequests {
  /** Largest body that is predicted here; 0 where the model takes too long for any. */
  readonly maxBytes: number;
  /** @throws ServeInputError, BadRequestError */
  run(op: ReplicaOp, args: readonly unknown[]): unknown;
}

/** Measures how large a body may be. */
export function smallRequests(program: TreeProgram): SmallRequests {
  const { probe } = program;
  let fastestMs = Infinity;
  for (let trial = 0; trial < TRIALS; trial++) {
    const startedAt = performance.now();
    program.run('http', [probe]);
    fastestMs = Math.min(fastestMs, performance.now() - startedAt);
    if (trial > 2 && fastestMs > MAX_HOLD_MS) break;
  }
  const fitting = Math.floor((MAX_HOLD_MS / fastestMs) * probe.length);
  return {
    maxBytes: fastestMs > MAX_HOLD_MS ? 0 : Math.min(MAX_BYTES, fitting),
    run: (op, args) => program.run(op, args),
  };
}
