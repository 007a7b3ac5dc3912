// When a trial has come as far as it should, by the owner's own rule or by the scheduler's.

import type { TuneSettings } from '../tuneOptions.ts';
import type { TrialReport } from './trial.ts';

/** The rule that is reached, in words; undefined to go on. */
export function reachedStop(
  { stop, metric, mode, scheduler }: Pick<TuneSettings, 'stop' | 'metric' | 'mode' | 'scheduler'>,
  trialId: string,
  { iteration, metrics, elapsedMs }: TrialReport,
): string | undefined {
  if (iteration >= (scheduler.lastIteration ?? Infinity)) return `reached maxT, ${iteration}`;
  if (stop === undefined) return undefined;
  const known: Readonly<Record<string, number>> & { readonly trainingIteration: number } = {
    ...metrics,
    trainingIteration: iteration,
    timeTotalS: elapsedMs / 1000,
  };
  if (typeof stop === 'function') return stop(trialId, known) ? 'the stop function said so' : undefined;
  for (const [name, bound] of Object.entries(stop)) {
    const value = known[name];
    if (value === undefined) continue;
    const isLow = name === metric && mode === 'min';
    if (isLow ? value <= bound : value >= bound) return `${name} reached ${bound}`;
  }
  return undefined;
}
