// A trial that is a trainer's fit: the trainer with the trial's folder, on the cluster that all trials share.

import { join, relative } from 'node:path';
import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { GBDTTrainer } from '../../train/gbdt/gbdtTrainer.ts';
import type { GBDTTrainerOptions } from '../../train/gbdt/trainerOptions.ts';
import { beginsAnew, pathOnRecord, trialListener, trialsShareOf } from './trialFit.ts';
import type { TrialPlace } from './trialPlace.ts';
import type { TrialCallbacks, TrialPiece } from '../trial/trialRunner.ts';

/** Resolves when the fit has ended; its iterations are the rounds that the trial added to what it began with. */
export async function runGbdtTrial(
  options: GBDTTrainerOptions,
  piece: TrialPiece,
  callbacks: TrialCallbacks,
  { cluster, preparation }: TrialPlace,
): Promise<void> {
  const { numBoostRound = 10, scalingConfig, runConfig = {} } = options;
  const base = options.xgbModel === undefined ? 0 : roundsIn(options.xgbModel);
  const resumed = piece.checkpoint && join(piece.experimentFolder, piece.checkpoint.path);
  const done = resumed === undefined ? startOf(options) : roundsIn(resumed) - base;
  if (resumed !== undefined && done >= numBoostRound) return callbacks.working();
  const onEvent = trialListener(piece, callbacks, cluster, scalingConfig);
  const { xgbModel, resumeFromCheckpoint, ...rest } = options;
  const start =
    resumed !== undefined
      ? { resumeFromCheckpoint: resumed, numBoostRound: numBoostRound + base }
      : {
          ...(xgbModel !== undefined && { xgbModel }),
          ...(resumeFromCheckpoint !== undefined && { resumeFromCheckpoint }),
        };
  const trainer = new GBDTTrainer(
    {
      ...rest,
      ...start,
      runConfig: {
        ...runConfig,
        name: piece.id,
        storagePath: piece.experimentFolder,
        overwrite: beginsAnew(piece),
        callbacks: [
          ...(runConfig.callbacks ?? []),
          {
            onEvent,
            onCheckpoint({ path }) {
              const rounds = Number(relative(join(piece.experimentFolder, piece.id, 'checkpoints'), path));
              callbacks.checkpoint({
                path: pathOnRecord(piece, path),
                iteration: rounds - base,
              });
            },
          },
        ],
      },
    },
    {
      openCluster: () => Promise.resolve(trialsShareOf(cluster, callbacks)),
      now: () => performance.now(),
      prepare: (input) => preparation.prepare(input),
      isEnough: (round, metrics) => callbacks.report(done + round + 1, metrics) === 'stop',
    },
  );
  await trainer.fit({ signal: piece.signal });
}

function roundsIn(checkpoint: Checkpoint | string): number {
  return modelRounds((typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint).loadModel());
}

function startOf({ resumeFromCheckpoint }: GBDTTrainerOptions): number {
  return resumeFromCheckpoint === undefined ? 0 : roundsIn(resumeFromCheckpoint);
}
