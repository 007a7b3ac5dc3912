// How a run of nets is written down: states that its members stored become checkpoints.

import { z } from 'zod';
import { AbortedError } from '../../../kernels/errors.ts';
import { netInputs, type NetInput } from '../../../shared/neural/model/netInputs.ts';
import { readConfusionMatrix, type ConfusionMatrix } from '../../../shared/neural/run/confusionMatrix.ts';
import { decodeState } from '../../../shared/neural/state/namedState.ts';
import { checkpointFiles, NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import { withPlot } from '../plot/plotResult.ts';
import { RunProgress } from '../record/runProgress.ts';
import type { Metrics, Result, ResultRecord } from '../result.ts';
import type { RecordedRun, RunPlace, RunRecording, TrainerWorld } from '../run/trainerKind.ts';
import { StateRecorder } from './stateRecorder.ts';
import { writeProfile } from './writeProfile.ts';

/** What NeuralTrainer.fit returns. */
export interface NeuralResult extends Omit<Result, 'checkpoint' | 'checkpoints'> {
  readonly checkpoint: NeuralCheckpoint;
  readonly checkpoints: readonly NeuralCheckpoint[];
  /** With the option `profile`: the ops of the last step by the time they took; empty where the device has no timestamps. */
  readonly profile?: string;
  /** Of the evaluation set at the end, where labels are at most 100 classes. */
  readonly confusionMatrix?: ConfusionMatrix;
}

/** A world that may want the ends of epochs, and have a say in when a run ends. */
export interface EpochsWorld extends TrainerWorld {
  /** Reports and checkpoints are those of the ends of epochs, unless the owner asked for others. */
  readonly keepsEpochs?: boolean;
  /** Asked once for every report, in order: true ends the run after it. */
  isEnough?(step: number, metrics: Metrics): boolean;
}

/** What the record of a run of nets needs beside what the run tells. */
export interface NetPlan {
  readonly topology: object;
  /** How columns became inputs. */
  readonly inputs: readonly NetInput[];
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

const remembered = z.object({
  topology: z.record(z.string(), z.unknown()),
  inputs: netInputs.shape.inputs,
  steps: z.number().int().min(1),
  stepsPerEpoch: z.number().int().min(1),
});

export function netRecording(world: EpochsWorld): RunRecording<NetPlan, NeuralResult> {
  return {
    trainer: 'neural',
    remember: (plan) => plan,
    recall: (value) => remembered.parse(value),
    record: (plan, place) => record(plan, world, place),
  };
}

function record(
  { topology, inputs, steps, stepsPerEpoch }: NetPlan,
  world: EpochsWorld,
  { cluster, folder, name, checkpoints, now, notify, onCheckpoint, fail, warn }: RunPlace,
): RecordedRun<NeuralResult> {
  notify({ type: 'planned', steps, stepsPerEpoch });
  const keepsEpochs = world.keepsEpochs === true;
  let profile: string | undefined;
  let isEnough = false;
  const recorder = new StateRecorder({
    progress: new RunProgress(folder, now, fail),
    checkpointFrequency: keepsEpochs ? stepsPerEpoch : checkpoints.checkpointFrequency,
    ...(keepsEpochs && { keepsLast: (rounds) => rounds === steps }),
    readState: (saved) => cluster.readBlob(saved),
    filesOf: (state, step) =>
      checkpointFiles(topology, decodeState(state, `the state of step ${step}`), inputs),
    onCheckpoint: (path, metrics) => onCheckpoint(new NeuralCheckpoint(path), metrics),
    onProfile: async (bytes) => {
      profile = (await writeProfile(bytes, folder, warn)) ?? profile;
    },
  });
  return {
    recorder,
    isEnough(event) {
      if (event.type !== 'round') return undefined;
      const { round, metrics } = event.committed;
      isEnough ||= world.isEnough?.(round, metrics) === true;
      return isEnough ? 'its owner has enough' : undefined;
    },
    isWhole: () => isEnough,
    result(record: ResultRecord): NeuralResult {
      const saved = folder.savedPaths().map((path) => new NeuralCheckpoint(path));
      const checkpoint = saved.at(-1);
      if (!checkpoint) throw new AbortedError(`Run "${name}" was stopped before its state was stored.`);
      const confusionMatrix = readConfusionMatrix(recorder.lastPayload[0]);
      return withPlot({
        ...record,
        path: folder.path,
        checkpoint,
        checkpoints: saved,
        metricsTable: recorder.progress.metricsTable,
        ...(profile !== undefined && { profile }),
        ...(confusionMatrix && { confusionMatrix }),
      });
    },
  };
}
