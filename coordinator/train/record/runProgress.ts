// What a run of any kind tells as it goes on: its rounds with their metrics, its workers, the time; written to progress.jsonl.

import type { RoundTiming, RunEvent } from '../../core/run/runRequest.ts';
import { metricsOf, type Metrics, type RunWorker } from '../result.ts';
import { ProgressLines, WriteQueue } from './progressLines.ts';
import type { RunFolder } from './runFolder.ts';
import { WorkTime } from './workTime.ts';

export class RunProgress {
  readonly folder: RunFolder;
  readonly #table: (Metrics & { readonly round: number })[] = [];
  readonly #time: WorkTime;
  readonly #writes: WriteQueue;
  readonly #lines: ProgressLines;
  workers: readonly RunWorker[] = [];
  workersLost = 0;

  /** @param onFailure a write failed: the run should end; `settled` throws the reason. */
  constructor(folder: RunFolder, now: () => number, onFailure: (error: unknown) => void) {
    this.folder = folder;
    this.#time = new WorkTime(now);
    this.#writes = new WriteQueue(onFailure);
    this.#lines = new ProgressLines(folder, this.#writes);
  }

  /** Metrics by round, in order; rounds and steps count from 0. */
  get metricsTable(): readonly (Metrics & { readonly round: number })[] {
    return this.#table;
  }

  get lastMetrics(): Metrics {
    return metricsOf(this.#table.at(-1));
  }

  get waitedMs(): number {
    return this.#time.waitedMs;
  }

  observe(event: RunEvent): void {
    this.#time.observe(event);
    if (event.type === 'group') this.workers = event.workers;
    else if (event.type === 'workerLost') this.workersLost++;
    else if (event.type === 'undone') this.#undo(event.rounds, event.reason);
  }

  /** Lines are in order of time: those from this round on that stand before it do not count. */
  #undo(rounds: number, reason: string): void {
    const kept = this.#table.filter(({ round }) => round < rounds);
    this.#table.splice(0, this.#table.length, ...kept);
    this.#lines.add({ undone: rounds, reason });
    this.#writes.add(() => this.folder.removeCheckpoints(rounds));
  }

  add(round: number, metrics: Metrics, timings: readonly RoundTiming[]): void {
    this.#table.push({ round, ...metrics });
    this.#lines.add({ round, metrics, elapsedMs: Math.round(this.#time.workedMs), timings });
  }

  /** Does something after what is in line already. */
  write(task: () => Promise<void>): void {
    this.#writes.add(task);
  }

  /** Waits until all is on disk. @throws what a write failed with. */
  settled(): Promise<void> {
    return this.#writes.settled();
  }
}
