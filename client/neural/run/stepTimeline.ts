// What one step did when, for a profile: computing, the exchange of each bucket, the update.

import type { StepProfile, TimelineEntry } from '../../../shared/neural/run/stepProfile.ts';
import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';

export class StepTimeline {
  readonly #now: () => number;
  readonly #start: number;
  readonly #entries: TimelineEntry[] = [];
  #computedUntil: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = this.#computedUntil = now();
  }

  /** A bucket is complete; computing goes on with the next. @returns to be called when it is added up. */
  bucketReady(bucket: number, bytes: number): () => void {
    this.#add('backward', this.#computedUntil, { bucket, bytes });
    const startedAt = this.#now();
    this.#computedUntil = startedAt;
    return () => this.#add('exchange', startedAt, { bucket, bytes });
  }

  /** Waits for the update, and tells all of the step. */
  async end(engine: TrainingEngine, step: number, updateFrom: number): Promise<StepProfile> {
    // Calls are carried out in order: what is read is there after the update.
    const { byteLength } = await engine.read('statistics');
    const parameters = 4 * engine.layout.lengths.parameters;
    this.#add('update', updateFrom, { bytes: parameters + byteLength });
    return { step, ops: await engine.profile(), timeline: this.#entries };
  }

  #add(kind: TimelineEntry['kind'], from: number, rest: Pick<TimelineEntry, 'bucket' | 'bytes'>): void {
    this.#entries.push({ kind, startMs: from - this.#start, endMs: this.#now() - this.#start, ...rest });
  }
}
