// Follows a run of a cluster to its end, whatever it trains.

import { AbortedError } from '../../../kernels/errors.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import type {
  CommittedRound,
  RunEvent,
  RunHandle,
  RunOutcome,
  RunRequest,
} from '../../core/run/runRequest.ts';
import type { RunSettings, ScalingConfig } from '../../options/runOptions.ts';
import type { RunProgress } from '../record/runProgress.ts';

/** Writes down what a run tells. */
export interface TrainingRecorder {
  readonly progress: RunProgress;
  /** Rounds that are done, those of a model or state that the run goes on from included. */
  readonly rounds: number;
  observe(event: RunEvent): void;
  /** Resolves when all is on disk. @param rounds all of the run, where it ended well. @throws what a write failed with. */
  settle(rounds?: readonly CommittedRound[]): Promise<void>;
}

export interface FollowedRun {
  readonly name: string;
  /** Asks for the run, or finds it. */
  readonly start: () => Promise<RunHandle>;
  readonly recorder: TrainingRecorder;
  /** Ends the run when a write or a callback failed. */
  readonly broken: AbortController;
  readonly signal: AbortSignal;
  readonly notify: (event: ProgressEvent) => void;
  /** Asked after every event: the reason why the run should end now, if it should. */
  readonly isEnough?: (event: RunEvent) => string | undefined;
}

/** What a run asks of the pool. */
export function demandOf(
  { workers }: Pick<RunSettings, 'workers'>,
  { runtime, device }: ScalingConfig = {},
): RunRequest['workers'] {
  return {
    ...workers,
    ...(runtime !== undefined && { runtimes: [...new Set([runtime].flat())] }),
    ...(device !== undefined && device !== 'auto' && { device }),
  };
}

/** Resolves when all is written. @throws AbortedError when called off; what the run or a write failed with. */
export async function followRun(run: FollowedRun): Promise<RunOutcome> {
  const { name, start, recorder, broken, signal, notify } = run;
  const calledOff = (): AbortedError => {
    const path = recorder.progress.folder.savedPaths().at(-1);
    const rest =
      path === undefined
        ? ' before its first checkpoint.'
        : `; go on with it by resumeFromCheckpoint: ${path} (tabgrad train --resume).`;
    return new AbortedError(
      `Run "${name}" was called off by its owner${rest}`,
      path === undefined ? {} : { file: path },
    );
  };
  if (signal.aborted) throw calledOff();
  const handle = await start();
  let isStopped = false;
  const unsubscribe = handle.onEvent((event) => {
    recorder.observe(event);
    try {
      notify(event);
      const reason = run.isEnough?.(event);
      if (reason === undefined || isStopped) return;
      isStopped = true;
      handle.stop(reason);
    } catch (error) {
      // The one who tells of events must not suffer for a callback.
      broken.abort(error);
    }
  });
  broken.signal.addEventListener('abort', () => handle.stop('its owner can not go on'));
  const onAbort = (): void => handle.stop('called off by its owner');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const outcome = await handle.done.catch(async (error: unknown) => {
      // What was committed before the failure is kept; the failure is what is reported.
      await recorder.settle().catch(() => undefined);
      throw error;
    });
    await recorder.settle(outcome.rounds);
    if (broken.signal.aborted) throw broken.signal.reason;
    if (signal.aborted) throw calledOff();
    return outcome;
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}
