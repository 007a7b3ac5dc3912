// Generations of trials (population based training): who has come to the end of one, whether all have, and what they take
// over from one another then.

import type { Exploit, Generations, Scheduler } from '../schedule/scheduler.ts';
import type { ExperimentFolder } from './experimentFolder.ts';
import { scoreOf } from './score.ts';
import { dropUnsaved, isOver, type Trial } from '../trial/trial.ts';
import { CheckpointMissingError } from '../space/tuneErrors.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';

/** The iteration at which a trial's generation ends. */
export function generationEnd({ renewedAt = 0 }: Pick<Trial, 'renewedAt'>, { every }: Generations): number {
  return (Math.floor(renewedAt / every) + 1) * every;
}

/** Trials that an earlier process left at the end of their generation: they have nothing to do until it is renewed. */
export function leftAtEnd(trials: readonly Trial[], { generations }: Scheduler): Trial[] {
  if (!generations) return [];
  const left = trials.filter(
    (trial) =>
      trial.status === 'pending' && (trial.checkpoint?.iteration ?? 0) >= generationEnd(trial, generations),
  );
  for (const trial of left) dropUnsaved(trial);
  return left;
}

/** What becomes of the trials; undefined while one of them has not come to the end of the generation. */
export function renewedGeneration(
  trials: readonly Trial[],
  planned: number,
  settings: Pick<TuneSettings, 'scheduler' | 'metric' | 'mode'>,
): readonly Exploit[] | undefined {
  const { generations } = settings.scheduler;
  if (!generations || trials.length < planned) return undefined;
  const living = trials.filter((trial) => !isOver(trial));
  if (living.length === 0 || living.some(({ status }) => status !== 'paused')) return undefined;
  return generations.renew(
    living.map(({ index, assignment, reports }) => {
      const last = reports.findLast(({ metrics }) => scoreOf(metrics, settings) !== undefined);
      return {
        trial: index,
        iteration: reports.at(-1)?.iteration ?? 0,
        score: last && scoreOf(last.metrics, settings),
        assignment,
      };
    }),
  );
}

/**
 * Copies the checkpoints that trials take over. Nothing is changed before the function that comes back is called, all at
 * once: so the record shows one generation or the next.
 * @throws ResultWriteError
 */
export async function takeOver(
  trials: readonly Trial[],
  exploits: readonly Exploit[],
  folder: ExperimentFolder,
): Promise<() => void> {
  const changes = await Promise.all(
    exploits.map(async ({ trial, source, assignment }) => {
      const own = trials[trial];
      const better = trials[source]?.checkpoint;
      if (!own?.checkpoint || !better) return undefined;
      const givenUp = { source, checkpoint: own.checkpoint, assignment: own.assignment };
      return [own, { checkpoint: await folder.copyCheckpoint(better, own), assignment, givenUp }] as const;
    }),
  );
  return () => {
    for (const change of changes) if (change) Object.assign(...change);
    for (const trial of trials) {
      if (trial.status === 'paused') trial.renewedAt = trial.reports.at(-1)?.iteration ?? 0;
    }
  };
}

/** @throws CheckpointMissingError */
export function requireCheckpoint({ index, checkpoint }: Trial, iteration: number): void {
  if (checkpoint?.iteration === iteration) return;
  throw new CheckpointMissingError(
    `Trial ${index} is to be gone on with from iteration ${iteration}, but reported no checkpoint there: call report(metrics, checkpoint) at the end of each perturbationInterval.`,
  );
}
