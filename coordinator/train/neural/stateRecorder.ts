// Follows a run whose state the members hold: collects what was reported, writes progress and checkpoints as they come, in order.

import type { BlobReference } from '../../../shared/neural/run/neuralSpec.ts';
import type { RunEvent, SavedState } from '../../core/run/runRequest.ts';
import type { RunFolder } from '../record/runFolder.ts';
import { ProgressLines } from '../record/progressLines.ts';
import { WorkTime } from '../record/workTime.ts';
import { WriteQueue } from '../record/writeQueue.ts';
import { metricsOf, type Metrics, type RunWorker } from '../result.ts';

interface CheckpointFiles {
  /** model.json; undefined for a checkpoint without a model. */
  readonly modelText: string | undefined;
  readonly beside: Readonly<Record<string, string | Uint8Array>>;
}

export interface StateRecorderOptions {
  readonly folder: RunFolder;
  /** The files of a checkpoint from a state as it was stored; undefined where there is nothing to keep. */
  readonly filesOf: (state: Uint8Array, rounds: number) => CheckpointFiles | undefined;
  /** A checkpoint is written of states after so many steps; 0: of the last one alone. */
  readonly checkpointFrequency: number;
  /** Whether the last state is written too, after so many steps. Default: it is. */
  readonly keepsLast?: (rounds: number) => boolean;
  readonly readState: (saved: BlobReference) => Promise<Uint8Array>;
  /** A profile is there. */
  readonly onProfile?: (bytes: Uint8Array) => Promise<void>;
  readonly onCheckpoint: (path: string, metrics: Metrics) => void;
  /** A write failed: the run should end; `settle` throws the reason. */
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

export class StateRecorder {
  readonly #options: StateRecorderOptions;
  readonly #table: (Metrics & { readonly round: number })[] = [];
  readonly #time: WorkTime;
  readonly #writes: WriteQueue;
  readonly #progress: ProgressLines;
  #last: SavedState | undefined;
  #written = -1;
  workers: readonly RunWorker[] = [];
  workersLost = 0;

  constructor(options: StateRecorderOptions) {
    this.#options = options;
    this.#time = new WorkTime(options.now);
    this.#writes = new WriteQueue(options.onFailure);
    this.#progress = new ProgressLines(options.folder, this.#writes);
  }

  /** Rows of progress; `round` is the step, counted from 0. */
  get metricsTable(): readonly (Metrics & { readonly round: number })[] {
    return this.#table;
  }

  get waitedMs(): number {
    return this.#time.waitedMs;
  }

  get checkpointPath(): string | undefined {
    return this.#options.folder.savedPaths().at(-1);
  }

  get lastMetrics(): Metrics {
    return metricsOf(this.#table.at(-1));
  }

  /** Steps that are known to be committed. */
  get rounds(): number {
    return (this.#table.at(-1)?.round ?? -1) + 1;
  }

  observe(event: RunEvent): void {
    const { checkpointFrequency } = this.#options;
    this.#time.observe(event);
    if (event.type === 'group') this.workers = event.workers;
    else if (event.type === 'workerLost') this.workersLost++;
    else if (event.type === 'round') {
      const { committed, timings } = event;
      const { round, metrics } = committed;
      this.#table.push({ round, ...metrics });
      const elapsedMs = Math.round(this.#time.workedMs);
      this.#progress.add({ round, metrics, elapsedMs, timings });
    } else if (event.type === 'profiled') {
      const { onProfile, readState } = this.#options;
      if (onProfile) this.#writes.add(async () => onProfile(await readState(event)));
    } else if (event.type === 'checkpoint') {
      this.#last = event;
      if (checkpointFrequency > 0 && event.rounds % checkpointFrequency === 0) this.#write(event);
    }
  }

  #write(saved: SavedState): void {
    const { folder, filesOf, readState, onCheckpoint } = this.#options;
    if (this.#written === saved.rounds) return;
    this.#written = saved.rounds;
    this.#writes.add(async () => {
      // Metrics of the same step, where they were told.
      const metrics = metricsOf(this.#table.findLast(({ round }) => round < saved.rounds));
      const files = filesOf(await readState(saved), saved.rounds);
      if (!files) return;
      onCheckpoint(
        await folder.saveCheckpoint(saved.rounds, files.modelText, metrics, files.beside),
        metrics,
      );
    });
  }

  /** Writes the last checkpoint, and waits until all is on disk. */
  async settle(): Promise<void> {
    const { keepsLast = () => true } = this.#options;
    if (this.#last && keepsLast(this.#last.rounds)) this.#write(this.#last);
    await this.#writes.settled();
  }
}
