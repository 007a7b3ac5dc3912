// Follows a run whose state the members hold: collects what was reported, and writes checkpoints as they come, in order.

import { TabgradError } from '../../../kernels/errors.ts';
import type { BlobReference } from '../../../shared/neural/run/neuralSpec.ts';
import type { CommittedRound, RunEvent, SavedState } from '../../core/run/runRequest.ts';
import type { RunProgress } from '../record/runProgress.ts';
import { metricsOf, type Metrics } from '../result.ts';

interface CheckpointFiles {
  /** model.json; undefined for a checkpoint without a model. */
  readonly modelText: string | undefined;
  readonly beside: Readonly<Record<string, string | Uint8Array>>;
}

export interface StateRecorderOptions {
  readonly progress: RunProgress;
  /** The files of a checkpoint from a state as it was stored; undefined where there is nothing to keep. */
  readonly filesOf: (state: Uint8Array, rounds: number) => CheckpointFiles | undefined;
  /** A checkpoint is written of states after so many steps; 0: of the last one alone. */
  readonly checkpointFrequency: number;
  /** Whether the last state is written too, after so many steps. Default: it is. */
  readonly keepsLast?: (rounds: number) => boolean;
  readonly readState: (saved: BlobReference) => Promise<Uint8Array>;
  /** A profile is there. */
  readonly onProfile?: (bytes: Uint8Array) => Promise<void>;
  readonly onCheckpoint?: (path: string, metrics: Metrics) => void;
}

export class StateRecorder {
  readonly progress: RunProgress;
  readonly #options: StateRecorderOptions;
  #last: SavedState | undefined;
  #written = -1;
  #lastPayload: readonly unknown[] = [];
  /** The last state that the coordinator had no more when it was to be read, and what it said. */
  #missing: { readonly rounds: number; readonly error: unknown } | undefined;

  constructor(options: StateRecorderOptions) {
    this.#options = options;
    this.progress = options.progress;
  }

  /** Steps that are known to be committed. */
  get rounds(): number {
    return (this.progress.metricsTable.at(-1)?.round ?? -1) + 1;
  }

  observe(event: RunEvent): void {
    const { checkpointFrequency, onProfile, readState } = this.#options;
    this.progress.observe(event);
    if (event.type === 'round') {
      const { committed, timings } = event;
      this.progress.add(committed.round, committed.metrics, timings);
    } else if (event.type === 'profiled') {
      if (onProfile) this.progress.write(async () => onProfile(await readState(event)));
    } else if (event.type === 'undone') {
      this.#last = event.savedState;
      this.#written = -1;
    } else if (event.type === 'checkpoint') {
      this.#last = event;
      if (checkpointFrequency > 0 && event.rounds % checkpointFrequency === 0) this.#write(event);
    }
  }

  #write(saved: SavedState): void {
    const { filesOf, readState, onCheckpoint } = this.#options;
    if (this.#written === saved.rounds) return;
    this.#written = saved.rounds;
    this.progress.write(async () => {
      // Metrics of the same step, where they were told.
      const metrics = metricsOf(this.progress.metricsTable.findLast(({ round }) => round < saved.rounds));
      const state = await readState(saved).catch((error: unknown) => {
        // A run that is followed late tells of states that it needs no more; the last one has to be there.
        if (!(error instanceof TabgradError) || error.code !== 'BLOB_MISSING') throw error;
        this.#missing = { rounds: saved.rounds, error };
      });
      const files = state && filesOf(state, saved.rounds);
      if (!files) return;
      const { modelText, beside } = files;
      const path = await this.progress.folder.saveCheckpoint(saved.rounds, modelText, metrics, beside);
      onCheckpoint?.(path, metrics);
    });
  }

  /** What members recorded of the last round, once the run is settled. */
  get lastPayload(): readonly unknown[] {
    return this.#lastPayload;
  }

  /** Writes the last checkpoint, and waits until all is on disk. */
  async settle(rounds: readonly CommittedRound[] = []): Promise<void> {
    this.#lastPayload = rounds.at(-1)?.payload ?? [];
    const { keepsLast = () => true } = this.#options;
    if (this.#last && keepsLast(this.#last.rounds)) this.#write(this.#last);
    await this.progress.settled();
    if (this.#missing && this.#missing.rounds === this.#last?.rounds) throw this.#missing.error;
  }
}
