// A trial that trains a net. Its iterations are epochs: what is measured on the validation rows is known at their ends, and so
// are the states that trials stop at, go on from and take over.

import { basename, join } from 'node:path';
import { NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import type { NeuralTrainerOptions } from '../../train/neural/neuralOptions.ts';
import { NeuralTrainer } from '../../train/neural/neuralTrainer.ts';
import { beginsAnew, pathOnRecord, trialListener, trialsShareOf } from './trialFit.ts';
import type { TrialPlace } from './trialPlace.ts';
import type { TrialCallbacks, TrialPiece } from '../trial/trialRunner.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** @throws TrainArgumentError, and what the fit throws. */
export async function runNeuralTrial(
  options: NeuralTrainerOptions,
  piece: TrialPiece,
  callbacks: TrialCallbacks,
  { cluster, tensors }: TrialPlace,
): Promise<void> {
  checkTunable(options);
  const { runConfig = {}, scalingConfig, resumeFromCheckpoint, ...rest } = options;
  const from = piece.checkpoint ? join(piece.experimentFolder, piece.checkpoint.path) : resumeFromCheckpoint;
  if (piece.checkpoint && from !== undefined && hasEnded(options, piece.checkpoint.iteration, from))
    return callbacks.working();
  const hear = trialListener(piece, callbacks, cluster, scalingConfig);
  let plan = { steps: 0, stepsPerEpoch: 1 };
  /** Epochs that count; a trial that is stopped goes on for some steps. */
  let until = Infinity;
  let told = piece.checkpoint?.iteration ?? 0;
  const epochsOf = (steps: number): number => {
    const epochs = steps / plan.stepsPerEpoch;
    return steps === plan.steps ? Math.ceil(epochs) : epochs;
  };
  const trainer = new NeuralTrainer(
    {
      ...rest,
      ...(scalingConfig && { scalingConfig }),
      ...(from !== undefined && { resumeFromCheckpoint: from }),
      runConfig: {
        ...runConfig,
        // A scheduler may cut a trial back to any epoch that it has behind it.
        checkpointConfig: {},
        name: piece.id,
        storagePath: piece.experimentFolder,
        overwrite: beginsAnew(piece),
        callbacks: [
          ...(runConfig.callbacks ?? []),
          {
            onEvent(event) {
              if (event.type === 'planned') plan = event;
              hear(event);
            },
            onCheckpoint({ path }) {
              const iteration = epochsOf(Number(basename(path)));
              if (!Number.isInteger(iteration) || iteration > until) return;
              const { stepsPerEpoch } = plan;
              callbacks.checkpoint({
                path: pathOnRecord(piece, path),
                iteration,
                roundsPerIteration: stepsPerEpoch,
              });
            },
          },
        ],
      },
    },
    {
      openCluster: () => Promise.resolve(trialsShareOf(cluster, callbacks)),
      now: () => performance.now(),
      prepare: tensors,
      keepsEpochs: true,
      isEnough(step, metrics) {
        const iteration = epochsOf(step + 1);
        if (!Number.isInteger(iteration) || iteration <= told) return false;
        told = iteration;
        if (callbacks.report(iteration, metrics) === 'continue') return false;
        until = iteration;
        return true;
      },
    },
  );
  await trainer.fit({ signal: piece.signal });
}

/** @throws TrainArgumentError for options that leave epochs without a state of their own. */
export function checkTunable({ localSteps }: NeuralTrainerOptions): void {
  if (localSteps === undefined) return;
  throw new TrainArgumentError(
    'localSteps can not be tuned: outer steps do not end with epochs, which are the iterations of a trial.',
    { field: 'localSteps' },
  );
}

function hasEnded(
  { numEpochs = 1, maxSteps }: NeuralTrainerOptions,
  epochs: number,
  from: NeuralCheckpoint | string,
): boolean {
  if (maxSteps === undefined) return epochs >= numEpochs;
  return (typeof from === 'string' ? new NeuralCheckpoint(from) : from).net().step >= maxSteps;
}
