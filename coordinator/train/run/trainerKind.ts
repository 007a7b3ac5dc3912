// What differs from one kind of trainer to the other: what it prepares, and how it writes down what a run tells.

import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { RunSpec, TrainerName } from '../../../shared/run/runSpec.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { RunCluster } from '../../cluster/cluster.ts';
import { openRunCluster, type RunWish } from '../../cluster/openCluster.ts';
import type { RunEvent, RunRequest, Shard } from '../../core/run/runRequest.ts';
import type { RunSettings } from '../../options/runOptions.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import type { TrainingRecorder } from './followRun.ts';
import type { RunFacts } from '../record/resultRecord.ts';
import type { RunFolder } from '../record/runFolder.ts';
import type { Metrics, ResultRecord } from '../result.ts';

/** What a trainer needs of the world; tests replace it. */
export interface TrainerWorld {
  openCluster(wish: RunWish, signal: AbortSignal): Promise<RunCluster>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

export const realWorld: TrainerWorld = { openCluster: openRunCluster, now: () => performance.now() };

/** Where a run happens, for the part that its kind does. */
export interface RunPlace {
  readonly cluster: RunCluster;
  readonly folder: RunFolder;
  /** The run's. */
  readonly name: string;
  readonly checkpoints: RunSettings['checkpoints'];
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly notify: (event: ProgressEvent) => void;
  /** Told of a checkpoint that is on disk. */
  readonly onCheckpoint: (checkpoint: Checkpoint, metrics: Metrics) => void;
  readonly warn: (message: string) => void;
  /** Ends the run: a write or a callback failed. */
  readonly fail: (error: unknown) => void;
}

/** A run that is ready to be asked for. */
interface PreparedRun<Plan> {
  readonly spec: RunSpec;
  readonly shards: readonly Shard[];
  /** Of the datasets, for the coordinator. */
  readonly summaries: readonly DatasetSummary[];
  /** What the record of the run needs beside what the run tells. */
  readonly plan: Plan;
  readonly facts: Pick<RunFacts, 'rows' | 'totalRounds' | 'warnings'>;
}

/** A run whose record is being written. */
export interface RecordedRun<R> {
  readonly recorder: TrainingRecorder;
  readonly shouldStop?: RunRequest['shouldStop'];
  readonly best?: RunFacts['best'];
  /** Asked after every event: the reason why the run should end now, if it should. */
  readonly isEnough?: (event: RunEvent) => string | undefined;
  /** Whether a run that was stopped has all that its owner wanted. */
  readonly isWhole?: () => boolean;
  /** What the fit returns. @throws AbortedError where there is nothing to return. */
  readonly result: (record: ResultRecord) => R;
}

/** How a kind of trainer writes down a run; the same for one that it asked for and for one that it finds again. */
export interface RunRecording<Plan, R> {
  readonly trainer: TrainerName;
  /** The plan as plain JSON, for run.json. */
  remember(plan: Plan): object;
  /** The plan of run.json. @throws ZodError, ModelFormatError, ParameterRangeError and their like where it is damaged. */
  recall(remembered: unknown): Plan;
  record(plan: Plan, place: RunPlace): RecordedRun<R>;
}

/** What a kind of trainer does of a run. */
export interface TrainerKind<Opened, Plan, R> {
  /** Parameters as result.json tells them, and how many rounds were asked for. */
  readonly facts: Pick<RunFacts, 'params' | 'totalRounds'>;
  /** Reads and refuses all that needs no cluster. */
  open(warn: (message: string) => void): Promise<Opened>;
  /** Prepares the data, into the cluster's blobs. */
  prepare(opened: Opened, place: RunPlace): Promise<PreparedRun<Plan>>;
  readonly recording: RunRecording<Plan, R>;
}
