// A trial that is a trainer's fit: the trainer with the trial's folder, on the cluster that all trials share.

import { join, relative } from 'node:path';
import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import { Checkpoint } from '../../train/checkpoint.ts';
import { GBDTTrainer } from '../../train/gbdtTrainer.ts';
import type { GBDTTrainerOptions } from '../../train/trainerOptions.ts';
import type { SharedPreparation } from './sharedPreparation.ts';
import type { TrialCluster } from './trialCluster.ts';
import type { TrialEars, TrialPiece } from './trialRunner.ts';

export interface GbdtTrialPlace {
  readonly cluster: TrialCluster;
  readonly preparation: SharedPreparation;
}

/** Resolves when the fit has ended; its iterations are the rounds that the trial added to what it began with. */
export async function runGbdtTrial(
  options: GBDTTrainerOptions,
  piece: TrialPiece,
  ears: TrialEars,
  { cluster, preparation }: GbdtTrialPlace,
): Promise<void> {
  const { numBoostRound = 10, scalingConfig = {}, runConfig = {} } = options;
  const base = options.xgbModel === undefined ? 0 : roundsIn(options.xgbModel);
  const resumed = piece.checkpoint && join(piece.experimentFolder, piece.checkpoint.path);
  const done = resumed === undefined ? startOf(options) : roundsIn(resumed) - base;
  if (resumed !== undefined && done >= numBoostRound) return ears.working();
  const least = leastWorkers(scalingConfig.numWorkers);
  const name = `trial ${piece.index}`;
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === 'group') ears.working();
    else if (event.type === 'preparing') ears.waiting(`${name} prepares ${event.rows} rows`);
    else if (event.type === 'waiting') {
      const free = cluster.freeWorkers();
      const need = `${name} waits for ${least} ${least === 1 ? 'worker' : 'workers'}`;
      ears.waiting(
        free === undefined
          ? `${name}: ${event.reason}`
          : `${need}; ${free} ${free === 1 ? 'is' : 'are'} free`,
      );
    }
  };
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
        callbacks: [
          ...(runConfig.callbacks ?? []),
          {
            onEvent,
            onCheckpoint({ path }) {
              const rounds = Number(relative(join(piece.experimentFolder, piece.id, 'checkpoints'), path));
              ears.checkpoint({
                path: portable(relative(piece.experimentFolder, path)),
                iteration: rounds - base,
              });
            },
          },
        ],
      },
    },
    {
      openCluster: () =>
        Promise.resolve({
          ...cluster,
          async startRun(request) {
            const run = await cluster.startRun(request);
            ears.run(run.runId);
            return run;
          },
          close: () => Promise.resolve(),
        }),
      now: () => performance.now(),
      prepare: (input) => preparation.prepare(input),
      isEnough: (round, metrics) => ears.report(done + round + 1, metrics) === 'stop',
    },
  );
  ears.waiting(`${name} waits for its data`);
  await trainer.fit({ signal: piece.signal });
}

export function leastWorkers(numWorkers: number | readonly [number, number] = 1): number {
  return typeof numWorkers === 'number' ? numWorkers : numWorkers[0];
}

function roundsIn(checkpoint: Checkpoint | string): number {
  return modelRounds((typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint).loadModel());
}

function startOf({ resumeFromCheckpoint }: GBDTTrainerOptions): number {
  return resumeFromCheckpoint === undefined ? 0 : roundsIn(resumeFromCheckpoint);
}

function portable(path: string): string {
  return path.split('\\').join('/');
}
