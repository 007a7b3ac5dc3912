// When the owner's own rule ends a trial.

import type { TuneSettings } from '../tuneOptions.ts';
import type { TrialReport } from './trial.ts';

/** The rule that is reached, in words; undefined to go on. */
export function reachedStop(
  { stop, metric, mode }: Pick<TuneSettings, 'stop' | 'metric' | 'mode'>,
  trialId: string,
  { iteration, metrics, elapsedMs }: TrialReport,
): string | undefined {
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
