// What a run can be. Each kind has a spec of its own, told apart by `trainer`; client/session and coordinator/run have a
// registry each of what they do for a kind.

import type { TrainSpec } from '../gbdt/trainSpec.ts';
import type { LoopSpec } from '../neural/loop/loopSpec.ts';
import type { NeuralSpec } from '../neural/run/neuralSpec.ts';

export type RunSpec = LoopSpec | NeuralSpec | TrainSpec;
export type TrainerName = RunSpec['trainer'];
