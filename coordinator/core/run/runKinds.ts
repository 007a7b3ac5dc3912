// The kinds of runs that the coordinator knows. One line each.

import type { RunSpec, TrainerName } from '../../../shared/run/runSpec.ts';
import { gbdtRun } from './gbdtRun.ts';
import { loopRun } from './loopRun.ts';
import { neuralRun } from './neuralRun.ts';
import type { RunKind } from './runKind.ts';

const kinds = { gbdt: gbdtRun, loop: loopRun, neural: neuralRun } as const;

export const trainerNames = Object.keys(kinds) as TrainerName[];

/** The kind that a spec is of. */
export function runKindOf({ trainer }: Pick<RunSpec, 'trainer'>): RunKind {
  return kinds[trainer];
}
