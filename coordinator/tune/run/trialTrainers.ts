// The trainers that can be tuned. One more is one more line, and a file that runs a trial of it.

import { NeuralTrainer } from '../../train/neural/neuralTrainer.ts';
import { GBDTTrainer } from '../../train/gbdt/gbdtTrainer.ts';
import type { RunConfig, ScalingConfig } from '../../options/runOptions.ts';
import { runGbdtTrial } from './runGbdtTrial.ts';
import { checkTunable, runNeuralTrial } from './runNeuralTrial.ts';
import type { TrialCallbacks, TrialPiece } from '../trial/trialRunner.ts';
import type { TrialPlace } from './trialPlace.ts';

/** Options of any trainer, as far as they are alike. */
export interface TunedOptions {
  readonly scalingConfig?: ScalingConfig | undefined;
  readonly runConfig?: RunConfig | undefined;
}

interface TrialTrainer<Options extends TunedOptions = TunedOptions> {
  readonly isTrainer: (value: unknown) => value is { readonly options: Options };
  /** @throws what the trainer's constructor throws for options that no trial can have. */
  readonly check: (options: Options) => void;
  /** Options that a checkpoint is bound to: a trial can not take over one that was trained with others. */
  readonly boundOptions: readonly string[];
  /** Resolves when the fit has ended. */
  readonly run: (
    options: Options,
    piece: TrialPiece,
    callbacks: TrialCallbacks,
    place: TrialPlace,
  ) => Promise<void>;
}

const gbdt: TrialTrainer<GBDTTrainer['options']> = {
  isTrainer: (value) => value instanceof GBDTTrainer,
  check: (options) => void new GBDTTrainer(options),
  boundOptions: [],
  run: runGbdtTrial,
};

const neural: TrialTrainer<NeuralTrainer['options']> = {
  isTrainer: (value) => value instanceof NeuralTrainer,
  check(options) {
    void new NeuralTrainer(options);
    checkTunable(options);
  },
  boundOptions: ['globalBatchSize', 'model', 'optimizer', 'optimizer.name'],
  run: runNeuralTrial,
};

export type TunableTrainer = GBDTTrainer | NeuralTrainer;

// Each is asked only for what it said is its own.
const trialTrainers = [gbdt, neural] as unknown as readonly TrialTrainer[];

/** Undefined for the owner's own functions. */
export function trialTrainerOf(trainable: unknown): TrialTrainer | undefined {
  return trialTrainers.find(({ isTrainer }) => isTrainer(trainable));
}

export function isTunableTrainer(value: unknown): value is TunableTrainer {
  return trialTrainerOf(value) !== undefined;
}
