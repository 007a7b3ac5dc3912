// Follows a run of trees: collects its rounds, watches the score, and writes checkpoints as they come, in order.

import { buildModel, type ModelInput } from '../../../shared/gbdt/model/buildModel.ts';
import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { decodeTree } from '../../../shared/gbdt/treeCodec.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { CommittedRound, RoundTiming, RunEvent } from '../../core/run/runRequest.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { RunProgress } from '../record/runProgress.ts';
import { metricsOf, type Metrics } from '../result.ts';
import type { ScoreWatch } from './scoreWatch.ts';

export interface TreeRecorderOptions {
  readonly progress: RunProgress;
  readonly watch: ScoreWatch;
  /** All of the model but its rounds. */
  readonly model: Omit<ModelInput, 'rounds' | 'best'>;
  /** Whether the model should tell its best round (XGBoost does when early stopping is on). */
  readonly tellsBest: boolean;
  readonly checkpointFrequency: number;
  readonly onCheckpoint: (checkpoint: Checkpoint, metrics: Metrics) => void;
}

export class TreeRecorder {
  readonly progress: RunProgress;
  readonly #options: TreeRecorderOptions;
  readonly #rounds: BinnedTree[][] = [];
  #checkpointed = -1;
  #stopped = false;

  constructor(options: TreeRecorderOptions) {
    this.#options = options;
    this.progress = options.progress;
  }

  /** True once the watch said that a round is the last. */
  get stopped(): boolean {
    return this.#stopped;
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
    this.progress.observe(event);
    if (event.type !== 'round') return;
    try {
      this.#addRound(event.committed, event.timings);
    } catch (error) {
      // Events go on; `settle` throws it.
      this.progress.write(() => Promise.reject(error));
    }
  }

  #addRound(committed: CommittedRound, timings: readonly RoundTiming[]): void {
    const { watch, model, checkpointFrequency } = this.#options;
    const { round, metrics, payload } = committed;
    if (round === this.progress.metricsTable.length && !this.#stopped) {
      this.#stopped = watch.observe(committed);
      this.progress.add(round, metrics, timings);
    }
    // A coordinator in another process tells of rounds first and gives their trees at the end.
    const isTold = round < this.progress.metricsTable.length;
    if (payload.length === 0 || round !== this.#rounds.length || !isTold) return;
    this.#rounds.push(payload.map((tree) => decodeTree(tree, model.features.length)));
    if (checkpointFrequency > 0 && (round + 1) % checkpointFrequency === 0) this.#checkpoint();
  }

  /** Writes a checkpoint of the last round, unless it has one or there is no round. */
  #checkpoint(): void {
    const { model, watch, tellsBest, onCheckpoint } = this.#options;
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
    const metrics = metricsOf(this.progress.metricsTable[this.#rounds.length - 1]);
    this.progress.write(async () => {
      const path = await this.progress.folder.saveCheckpoint(rounds, text, metrics);
      onCheckpoint(new Checkpoint(path), metrics);
    });
  }

  /** Takes rounds that no event told of, writes the last checkpoint, and waits until all is on disk. */
  async settle(rounds: readonly CommittedRound[] = []): Promise<void> {
    for (const round of rounds) this.#addRound(round, []);
    this.#checkpoint();
    await this.progress.settled();
  }
}
