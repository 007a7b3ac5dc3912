// Follows one run: collects its rounds, watches the score, writes progress and checkpoints as they come, in order.

import { buildModel, type ModelInput } from '../../../shared/gbdt/model/buildModel.ts';
import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { decodeTree } from '../../../shared/gbdt/treeCodec.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { CommittedRound, RoundTiming, RunEvent } from '../../core/run/runRequest.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { metricsOf, type Metrics, type RunWorker } from '../result.ts';
import type { ScoreWatch } from './scoreWatch.ts';
import { ProgressLines } from '../record/progressLines.ts';
import type { RunFolder } from '../record/runFolder.ts';
import { WorkTime } from '../record/workTime.ts';
import { WriteQueue } from '../record/writeQueue.ts';

export interface RunRecorderOptions {
  readonly folder: RunFolder;
  readonly watch: ScoreWatch;
  /** All of the model but its rounds. */
  readonly model: Omit<ModelInput, 'rounds' | 'best'>;
  /** Whether the model should tell its best round (XGBoost does when early stopping is on). */
  readonly tellsBest: boolean;
  readonly checkpointFrequency: number;
  readonly onCheckpoint: (checkpoint: Checkpoint, metrics: Metrics) => void;
  /** A write failed: the run should end; `settle` throws the reason. */
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

export class RunRecorder {
  readonly #options: RunRecorderOptions;
  readonly #rounds: BinnedTree[][] = [];
  readonly #table: (Metrics & { readonly round: number })[] = [];
  readonly #time: WorkTime;
  readonly #writes: WriteQueue;
  readonly #progress: ProgressLines;
  #checkpointed = -1;
  #stopped = false;
  workers: readonly RunWorker[] = [];
  workersLost = 0;

  constructor(options: RunRecorderOptions) {
    this.#options = options;
    this.#time = new WorkTime(options.now);
    this.#writes = new WriteQueue(options.onFailure);
    this.#progress = new ProgressLines(options.folder, this.#writes);
  }

  /** True once the watch said that a round is the last. */
  get stopped(): boolean {
    return this.#stopped;
  }

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

  /** Rounds in the model: of this run and of the one that it goes on from. */
  get rounds(): number {
    return this.#rounds.length + this.earlierRounds;
  }

  /** Rounds of the model that the run goes on from. */
  get earlierRounds(): number {
    const { continued } = this.#options.model;
    return continued ? modelRounds(continued) : 0;
  }

  /** Takes an event of the run. Rounds beyond the last one (a stop takes a while to arrive) are left out. */
  observe(event: RunEvent): void {
    this.#time.observe(event);
    if (event.type === 'group') this.workers = event.workers;
    else if (event.type === 'workerLost') this.workersLost++;
    else if (event.type === 'round') {
      try {
        this.#addRound(event.committed, event.timings);
      } catch (error) {
        // The one who tells of events must not suffer for it; `settle` throws it.
        this.#writes.add(() => Promise.reject(error));
      }
    }
  }

  #addRound(committed: CommittedRound, timings: readonly RoundTiming[]): void {
    const { watch, model, checkpointFrequency } = this.#options;
    const { round, metrics, trees } = committed;
    if (round === this.#table.length && !this.#stopped) {
      this.#table.push({ round, ...metrics });
      this.#stopped = watch.observe(committed);
      const elapsedMs = Math.round(this.#time.workedMs);
      this.#progress.add({ round, metrics, elapsedMs, timings });
    }
    // A coordinator in another process tells of rounds first and gives their trees at the end.
    if (trees.length === 0 || round !== this.#rounds.length || round >= this.#table.length) return;
    this.#rounds.push(trees.map((tree) => decodeTree(tree, model.features.length)));
    if (checkpointFrequency > 0 && (round + 1) % checkpointFrequency === 0) this.#checkpoint();
  }

  /** Writes a checkpoint of the last round, unless it has one or there is no round. */
  #checkpoint(): void {
    const { folder, model, watch, tellsBest, onCheckpoint } = this.#options;
    if (this.#rounds.length === 0 || this.#checkpointed === this.#rounds.length) return;
    this.#checkpointed = this.#rounds.length;
    const { best } = watch;
    const text = writeModel(
      buildModel({
        ...model,
        rounds: this.#rounds,
        ...(best && tellsBest && { best: { round: best.round, score: best.score, metric: watch.metric } }),
      }),
    );
    const rounds = this.rounds;
    const metrics = metricsOf(this.#table[this.#rounds.length - 1]);
    this.#writes.add(async () => {
      const path = await folder.saveCheckpoint(rounds, text, metrics);
      onCheckpoint(new Checkpoint(path), metrics);
    });
  }

  /** Takes rounds that no event told of, writes the last checkpoint, and waits until all is on disk. */
  async settle(rounds: readonly CommittedRound[] = []): Promise<void> {
    for (const round of rounds) this.#addRound(round, []);
    this.#checkpoint();
    await this.#writes.settled();
  }
}
