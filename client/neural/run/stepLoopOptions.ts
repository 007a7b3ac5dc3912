// What a loop over steps of a net is made of: each of its parts takes what it needs of this.

import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import type { MemberState } from './memberState.ts';
import type { TensorRows } from './tensorRows.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';

export interface StepLoopOptions {
  readonly runId: string;
  readonly spec: NeuralSpec;
  readonly state: MemberState;
  readonly train: TensorRows;
  readonly valid: TensorRows | undefined;
  readonly context: GenerationContext;
  /** Members of different kinds round differently: the first rank's parameters then count. */
  readonly isMixed: boolean;
  /** Strangers take part, as the coordinator says. */
  readonly isChecked: boolean;
  /** Steps of the last state that is stored. */
  readonly savedSteps: number;
}
