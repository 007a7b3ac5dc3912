// How a run of trees is written down: its rounds with their trees become models, as far as early stopping lets them.

import { AbortedError } from '../../../kernels/errors.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { withPlot } from '../plot/plotResult.ts';
import type { BestFacts } from '../record/resultRecord.ts';
import { RunProgress } from '../record/runProgress.ts';
import type { Metrics, Result, ResultRecord } from '../result.ts';
import type { RecordedRun, RunPlace, RunRecording, TrainerWorld } from '../run/trainerKind.ts';
import { ScoreWatch } from './scoreWatch.ts';
import { recallTrees, rememberTrees, type TreePlan } from './treePlan.ts';
import { TreeRecorder } from './treeRecorder.ts';

/** A world that may have a say in when a run ends. */
export interface JudgingWorld extends TrainerWorld {
  /** Asked once for every round, in order, counted from 0 in this fit: true makes it the last one. */
  isEnough?(round: number, metrics: Metrics): boolean;
}

export function treeRecording(world: JudgingWorld): RunRecording<TreePlan, Result> {
  return {
    trainer: 'gbdt',
    remember: rememberTrees,
    recall: recallTrees,
    record: (plan, place) => record(plan, world, place),
  };
}

function record(
  { params, features, continued, scored, earlyStoppingRounds, earlier }: TreePlan,
  world: JudgingWorld,
  { folder, name, checkpoints, now, onCheckpoint, fail }: RunPlace,
): RecordedRun<Result> {
  const watch = new ScoreWatch(
    scored,
    earlyStoppingRounds,
    (round, metrics) => world.isEnough?.(round, metrics) === true,
    earlier,
  );
  const recorder = new TreeRecorder({
    progress: new RunProgress(folder, now, fail),
    watch,
    model: continued ? { params, features, continued } : { params, features },
    tellsBest: earlyStoppingRounds !== undefined,
    checkpointFrequency: checkpoints.checkpointFrequency,
    onCheckpoint,
  });
  return {
    shouldStop: (round) => watch.observe(round),
    recorder,
    best: () => bestFacts(watch, recorder.earlierRounds),
    isEnough: () => (recorder.stopped ? 'early stopping' : undefined),
    isWhole: () => recorder.stopped,
    result(record: ResultRecord): Result {
      const saved = folder.savedPaths().map((path) => new Checkpoint(path));
      const checkpoint = saved.at(-1);
      if (!checkpoint) throw new AbortedError(`Run "${name}" was stopped before its first round.`);
      const { metricsTable } = recorder.progress;
      return withPlot({ ...record, path: folder.path, checkpoint, checkpoints: saved, metricsTable });
    },
  };
}

function bestFacts({ best, metric }: ScoreWatch, earlierRounds: number): BestFacts {
  if (!best) return {};
  const { metrics, round, score } = best;
  return {
    bestMetrics: metrics,
    bestIteration: earlierRounds + round,
    bestScore: score,
    scoreMetric: metric,
  };
}
