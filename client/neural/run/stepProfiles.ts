// Where the time of the last step goes, at the first rank, where the owner asked.

import type { StepLoopOptions } from './stepLoopOptions.ts';
import { StepTimeline } from './stepTimeline.ts';

type Profiled = Pick<StepLoopOptions, 'context' | 'runId' | 'spec' | 'state'>;

/** @returns undefined where this step is not timed. */
export async function openTimeline({ spec, state, context }: Profiled): Promise<StepTimeline | undefined> {
  const { environment, rank } = context;
  if (spec.profile !== true || rank !== 0) return undefined;
  // Timings of earlier steps are dropped as they come, or memory would grow.
  await state.engine.profile();
  return state.step === spec.steps - 1 ? new StepTimeline(() => environment.now()) : undefined;
}

/** Stores it, and says so. @param updateFrom when the update of the step began. */
export async function tellProfile(
  { runId, state, context }: Profiled,
  timeline: StepTimeline,
  updateFrom: number,
): Promise<void> {
  const { environment, generation, signal } = context;
  const profile = await timeline.end(state.engine, state.step - 1, updateFrom);
  const bytes = new TextEncoder().encode(JSON.stringify(profile));
  const address = await environment.putBlob(bytes, signal);
  environment.send({ type: 'profiled', runId, generation, ...address });
}
