// Asks a cluster for a run whose state the members hold, and follows it to its end.

import { AbortedError } from '../../shared/errors.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { RunEvent, RunOutcome, RunRequest } from '../run/runRequest.ts';
import type { Cluster } from '../train/cluster/cluster.ts';
import type { RunSettings } from '../train/runOptions.ts';
import type { ScalingConfig } from '../train/trainerOptions.ts';
import type { StateRecorder } from './stateRecorder.ts';

export interface FollowedRun {
  readonly cluster: Cluster;
  readonly request: RunRequest;
  readonly recorder: StateRecorder;
  /** Ends the run when a write or a callback failed. */
  readonly broken: AbortController;
  readonly signal: AbortSignal;
  readonly notify: (event: ProgressEvent) => void;
  /** Asked for every report: true ends the run after it. */
  readonly isEnough?: (event: RunEvent & { readonly type: 'round' }) => boolean;
}

/** What a run asks of the pool. */
export function demandOf(
  { workers }: Pick<RunSettings, 'workers'>,
  { runtime, device }: ScalingConfig = {},
): RunRequest['workers'] {
  return {
    ...workers,
    // A list means a mixed group: any of them will do.
    ...(typeof runtime === 'string' && { runtime }),
    ...(device !== undefined && device !== 'auto' && { device }),
  };
}

/** Resolves when all is written. @throws AbortedError when called off; what the run or a write failed with. */
export async function followRun(run: FollowedRun): Promise<RunOutcome & { readonly isEnough: boolean }> {
  const { cluster, request, recorder, broken, signal, notify } = run;
  const calledOff = (): AbortedError =>
    new AbortedError(`Run "${request.name}" was called off by its owner.`);
  if (signal.aborted) throw calledOff();
  const handle = await cluster.startRun(request);
  let isEnough = false;
  const unsubscribe = handle.onEvent((event) => {
    recorder.observe(event);
    try {
      notify(event);
      if (event.type !== 'round') return;
      isEnough ||= run.isEnough?.(event) === true;
      if (isEnough) handle.stop('its owner has enough');
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
      // What was stored before the failure is kept; the failure is what is reported.
      await recorder.settle().catch(() => undefined);
      throw error;
    });
    await recorder.settle();
    if (broken.signal.aborted) throw broken.signal.reason;
    if (signal.aborted) throw calledOff();
    return { ...outcome, isEnough };
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}
