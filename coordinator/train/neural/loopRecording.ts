// How a run of an owner's own loop is written down: what it reports, and the checkpoints that it hands over.

import { z } from 'zod';
import { unpackFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { withPlot } from '../plot/plotResult.ts';
import { RunProgress } from '../record/runProgress.ts';
import type { Result } from '../result.ts';
import type { RecordedRun, RunPlace, RunRecording } from '../run/trainerKind.ts';
import { StateRecorder } from './stateRecorder.ts';

/** What DataParallelTrainer.fit returns. */
export interface DataParallelResult extends Omit<Result, 'checkpoint' | 'checkpoints'> {
  /** The last one; undefined when the loop reported none. */
  readonly checkpoint: DataParallelCheckpoint | undefined;
  readonly checkpoints: readonly DataParallelCheckpoint[];
}

const remembered = z.object({});

/** Nothing: a loop's checkpoints are whole. */
export type LoopPlan = z.infer<typeof remembered>;

export const loopRecording: RunRecording<LoopPlan, DataParallelResult> = {
  trainer: 'loop',
  remember: (plan) => plan,
  recall: (value) => remembered.parse(value),
  record: (_plan, place) => record(place),
};

function record({ cluster, folder, now, fail }: RunPlace): RecordedRun<DataParallelResult> {
  const recorder = new StateRecorder({
    progress: new RunProgress(folder, now, fail),
    // Each of the loop's checkpoints is one that the owner asked for.
    checkpointFrequency: 1,
    readState: (saved) => cluster.readBlob(saved),
    filesOf: (packed) => {
      const { 'model.json': model, ...beside } = Object.fromEntries(unpackFiles(packed));
      const isEmpty = model === undefined && Object.keys(beside).length === 0;
      return isEmpty ? undefined : { modelText: model && new TextDecoder().decode(model), beside };
    },
  });
  return {
    recorder,
    result(record) {
      const checkpoints = folder.savedPaths().map((path) => new DataParallelCheckpoint(path));
      const { metricsTable } = recorder.progress;
      return withPlot({
        ...record,
        path: folder.path,
        checkpoint: checkpoints.at(-1),
        checkpoints,
        metricsTable,
      });
    },
  };
}
