// Writes an experiment into a coordinator's record while it goes on. Trials never wait for it: what changed meanwhile is
// written together, and a record that can't be reached is tried again until the experiment has ended.

import type { Clock } from '../../../shared/clock.ts';
import type { Trial, TrialReport } from '../trial/trial.ts';
import type { TuneCallback } from '../trial/tuneEvent.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import type { ExperimentRecord } from '../../core/store/experimentRecord.ts';
import {
  MAX_TRIALS_AT_ONCE,
  type ExperimentUpdate,
  type ExperimentWishes,
  type TrialUpdate,
} from '../../../shared/api/experiment.ts';
import { newReports, recordedTrial } from './experimentUpdate.ts';

/** Between two writes: reports may come a hundred times a second. */
export const REST_MS = 500;
/**
 * So that a reader can tell an experiment whose trials take long from one whose owner is gone, and that it is told soon when
 * somebody wishes it to end.
 */
export const HEARTBEAT_MS = 5_000;
/** How long an experiment that has ended waits for the record. */
export const LAST_WRITE_MS = 10_000;

export interface ExperimentEnd {
  readonly status: Exclude<ExperimentUpdate['status'], 'running'>;
  readonly errorCode?: string;
}

export interface ExperimentRecorderOptions {
  readonly settings: TuneSettings;
  /** From an earlier process: they are written as they are. */
  readonly trials: readonly Trial[];
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly date: () => number;
  /** Told what others wish, each time that the record is written to and a wish is open. */
  readonly onWishes: (wishes: ExperimentWishes) => void;
}

export class ExperimentRecorder {
  readonly #options: ExperimentRecorderOptions;
  readonly #startedAtMs: number;
  readonly #changed: Set<Readonly<Trial>>;
  /** The last report of each trial that the record has. */
  readonly #told = new WeakMap<Readonly<Trial>, TrialReport>();
  #record: ExperimentRecord | undefined;
  #end: (ExperimentEnd & { readonly endedAtMs: number }) | undefined;
  #failure: Error | undefined;
  #writing: Promise<void> | undefined;
  /** The next write is due then, and not before. */
  #isResting = false;
  #cancelTimer: () => void = () => undefined;

  readonly callback: TuneCallback = {
    onEvent: (event) => {
      if (!('trial' in event)) return;
      this.#changed.add(event.trial);
      this.#writeSoon();
    },
  };

  constructor(options: ExperimentRecorderOptions) {
    this.#options = options;
    this.#startedAtMs = options.date();
    this.#changed = new Set(options.trials);
  }

  /** Begins to write; without a record nothing is. */
  writeTo(record: ExperimentRecord): void {
    this.#record = record;
    this.#writeSoon();
  }

  /**
   * Writes how the experiment ended, and waits for that. Resolves with what kept it from the record, if anything did: an
   * experiment is none the worse for it.
   */
  async close(end: ExperimentEnd): Promise<Error | undefined> {
    const { clock, date } = this.#options;
    this.#end = { ...end, endedAtMs: date() };
    if (!this.#record) return undefined;
    let isLate = false;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(LAST_WRITE_MS, () => {
        isLate = true;
        this.#failure ??= new Error(`The record did not answer within ${LAST_WRITE_MS} ms.`);
        resolve();
      });
    });
    const written = (async () => {
      await this.#writing;
      for (;;) {
        this.#cancelTimer();
        await this.#write();
        if (isLate || (this.#failure === undefined && this.#changed.size === 0)) return;
        if (this.#failure !== undefined) await new Promise<void>((resolve) => clock.after(REST_MS, resolve));
      }
    })();
    await Promise.race([written, late]);
    cancel();
    this.#cancelTimer();
    return this.#failure;
  }

  #writeSoon(): void {
    if (this.#record && !this.#writing && !this.#isResting && !this.#end) void this.#write();
  }

  async #write(): Promise<void> {
    const { experimentId } = this.#options.settings;
    this.#cancelTimer();
    const trials = [...this.#changed].slice(0, MAX_TRIALS_AT_ONCE);
    for (const trial of trials) this.#changed.delete(trial);
    const lastReports = trials.map((trial) => trial.reports.at(-1));
    const update = { ...this.#head(), trials: trials.map((trial) => this.#updateOf(trial)) };
    this.#writing = Promise.resolve(this.#record?.save(experimentId, update)).then(
      (wishes) => {
        this.#failure = undefined;
        for (const [i, trial] of trials.entries()) {
          const last = lastReports[i];
          if (last) this.#told.set(trial, last);
          else this.#told.delete(trial);
        }
        if (wishes && !this.#end && (wishes.stop || wishes.stopTrials.length > 0))
          this.#options.onWishes(wishes);
      },
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        for (const trial of trials) this.#changed.add(trial);
      },
    );
    await this.#writing;
    this.#writing = undefined;
    if (!this.#end) this.#rest();
  }

  #updateOf(trial: Readonly<Trial>): TrialUpdate {
    const { settings } = this.#options;
    const reports = newReports(trial, this.#told.get(trial), settings.metric);
    return { ...recordedTrial(trial, settings), ...(reports && { reports }) };
  }

  #rest(): void {
    const { clock } = this.#options;
    this.#isResting = true;
    this.#cancelTimer = clock.after(REST_MS, () => {
      this.#isResting = false;
      if (this.#changed.size > 0) return this.#writeSoon();
      this.#cancelTimer = clock.after(HEARTBEAT_MS, () => this.#writeSoon());
    });
  }

  #head(): Omit<ExperimentUpdate, 'trials'> {
    const { name, folder, metric, mode } = this.#options.settings;
    return {
      name,
      folder,
      ...(metric !== undefined && { metric }),
      ...(mode !== undefined && { mode }),
      status: 'running',
      startedAtMs: this.#startedAtMs,
      ...this.#end,
    };
  }
}
