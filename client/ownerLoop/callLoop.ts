// Calls an owner's loop in its thread and answers what it asks for, until it is over.

import type { z } from 'zod';
import { delay, systemClock } from '../../shared/clock.ts';
import { whenAborted } from '../../shared/whenAborted.ts';
import type { LoopPlace } from './loopMessages.ts';
import { OwnerLoopError, type AnswerLoop, type LoopThread } from './loopThread.ts';

/** For a loop to end by itself once its group is over. */
const GRACE_MS = 1_000;

export interface LoopCall {
  readonly config: unknown;
  readonly place: LoopPlace;
  /** Once it has thrown, or said so, the group is over: whatever else the loop asks for fails with the same. */
  readonly answer: AnswerLoop;
  readonly signal: AbortSignal;
}

/**
 * @returns undefined when the loop has returned; else what ended it: what it was refused something for, even if it made
 *   nothing of that, what it threw, or the signal's reason.
 */
export async function callLoop(
  thread: LoopThread,
  { config, place, answer, signal }: LoopCall,
): Promise<unknown> {
  let failed: { readonly error: unknown } | undefined;
  let tell: () => void = () => undefined;
  const failing = new Promise<void>((resolve) => (tell = resolve));
  const fail = (error: unknown): void => {
    failed ??= { error };
    tell();
  };
  const guarded: AnswerLoop = async (what) => {
    if (failed) throw failed.error;
    try {
      const answered = await answer(what);
      if (answered.over) fail(answered.over);
      return answered;
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  const called = thread.call(config, place, guarded);
  called.catch(() => undefined);
  try {
    await Promise.race([
      called,
      failing.then(() => delay(systemClock, GRACE_MS, signal)),
      whenAborted(signal),
    ]);
  } catch (error) {
    return failed ? failed.error : error;
  }
  return failed?.error;
}

/** What a loop's thread asks for, in a known form. @throws OwnerLoopError */
export function readAsk<T>(schema: z.ZodType<T>, what: unknown): T {
  const { data, success } = schema.safeParse(what);
  if (success) return data;
  throw new OwnerLoopError('TRAIN_LOOP_FAILED', 'the loop asked its worker for something unknown');
}
