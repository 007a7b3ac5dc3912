// What the steps of the lesson share.

import type { Dataset } from '../../../coordinator/data/dataset.ts';
import type { LoadedConfig } from '../../../coordinator/config/loadConfig.ts';
import type { Coordinator } from '../../../coordinator/core/server/coordinator.ts';

export interface Lesson {
  readonly coordinator: Coordinator;
  /** flights.yaml. */
  readonly config: LoadedConfig;
  readonly train: Dataset;
  readonly valid: Dataset;
  readonly rounds: number;
  /** Absolute path of the folder for all results. */
  readonly resultsPath: string;
  /** Resolves when the workers of this machine have joined. */
  readonly workersReady: Promise<void>;
  readonly signal: AbortSignal;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly say: (text: string) => void;
}

/** Metrics whose name begins with `prefix`, without it. */
export function pickMetrics(
  metrics: Readonly<Record<string, number>>,
  prefix: string,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}
