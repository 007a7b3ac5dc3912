// The learning curve of the run that this tab helps to train: one line of points a metric, thinned as it grows.

import { isMeasure } from '../../../shared/run/metricNames.ts';

export interface Point {
  /** Rounds or steps until then. */
  readonly at: number;
  readonly value: number;
}

/** Points that a line has at most; every second one goes then. */
export const MAX_POINTS = 512;
/** Lines that are kept at most: names come from the run's owner. */
export const MAX_LINES = 16;

export class LearningCurve {
  #runId: string | undefined;
  readonly #lines = new Map<string, { points: Point[]; everyNth: number; skipped: number }>();

  get names(): readonly string[] {
    return [...this.#lines.keys()];
  }

  /** The points of a metric, oldest first. */
  points(name: string): readonly Point[] {
    return this.#lines.get(name)?.points ?? [];
  }

  /** Adds the metrics of a round. Another run begins new lines; values that are no numbers are left out. */
  add(runId: string, at: number, metrics: Readonly<Record<string, number>>): void {
    if (runId !== this.#runId) this.#lines.clear();
    this.#runId = runId;
    for (const [name, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value) || !isMeasure(name)) continue;
      let line = this.#lines.get(name);
      if (!line) {
        if (this.#lines.size >= MAX_LINES) continue;
        this.#lines.set(name, (line = { points: [], everyNth: 1, skipped: 0 }));
      }
      const last = line.points.at(-1);
      if (last && at <= last.at) continue;
      line.skipped += 1;
      if (line.skipped < line.everyNth) continue;
      line.skipped = 0;
      line.points.push({ at, value });
      if (line.points.length <= MAX_POINTS) continue;
      line.points = line.points.filter((_, i) => i % 2 === 0);
      line.everyNth *= 2;
    }
  }
}
