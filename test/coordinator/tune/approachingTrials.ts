// Trials in this process whose loss is a known function of x, for suites of the tuner.

import { readFileSync } from 'node:fs';
import {
  gridSearch,
  Tuner,
  type ResultGrid,
  type TrialContext,
  type TuneConfig,
  type TunerOptions,
} from '../../../coordinator/index.ts';

export interface Point {
  readonly x: number;
}

/** Loss of (x - 3)², which ten reports approach. */
export async function approach({ x }: Point, { report, iteration }: TrialContext): Promise<void> {
  for (let i = iteration + 1; i <= 10; i++) {
    const decision = await report({ loss: (x - 3) ** 2 + 1 / i, step: i }, { i });
    if (decision === 'stop') return;
  }
}

/** Makes tuners that search `x` on a grid of five points, and keep their experiments in `storagePath`. */
export function tunerIn(storagePath: string) {
  return (name: string, options: Partial<TunerOptions>, tuneConfig: TuneConfig = {}): Tuner =>
    new Tuner({
      trainable: approach,
      paramSpace: { x: gridSearch([0, 1, 2, 3, 4]) },
      tuneConfig: { metric: 'loss', mode: 'min', ...tuneConfig },
      ...options,
      runConfig: { name, storagePath, verbose: 0, ...options.runConfig },
    });
}

/** Of a file of lines of JSON. */
export const lines = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

/** The table, without what the clock says. */
export function withoutTimes(grid: ResultGrid) {
  return grid.getTable().map((row) => ({ ...row, timeTotalS: 0 }));
}
