// Members that say that they can't do the run. One of several is set aside and the others go on; when most say so, or there
// are not enough others, it is the run that fails.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { endRun, forgive } from './ending.ts';
import { enoughWithout } from './formation.ts';
import type { HaltWish } from './roundAgreement.ts';
import { WorkerFailedError } from './runErrors.ts';
import type { Member } from './runState.ts';
import { liftForgiven, setAside } from './setAside.ts';
import type { Turn } from './turn.ts';

/** @returns why the group must halt; undefined when the run has ended. */
export function takeFailure(
  turn: Turn,
  { workerId }: Member,
  message: WorkerMessageOf<'failed'>,
): HaltWish | undefined {
  const what = `${message.code}: ${message.message}`;
  const failed = new Map([...turn.state.failed, [workerId, what]]);
  turn.set({ failed });
  const others = turn.state.members.filter((member) => !failed.has(member.workerId)).length;
  const text = `Worker ${workerId} can't do the run: ${what}`;
  if (failed.size <= others && enoughWithout(turn, [workerId])) {
    turn.log('warn', `${text} (${others} others go on)`);
    setAside(turn, workerId, { reason: `can't do the run: ${what}`, until: 'forgiven' });
    return { when: 'now', reason: text };
  }
  if (!forgive(turn)) {
    endRun(turn, failure(failed));
    return undefined;
  }
  turn.set({ failed: new Map() });
  liftForgiven(turn);
  turn.log('warn', `${text} (forgiven: ${turn.state.failures} of ${turn.plan.maxFailures})`);
  return { when: 'now', reason: text };
}

/** The first that was said is the likeliest to tell the cause. */
function failure(failed: ReadonlyMap<string, string>): WorkerFailedError {
  const [[first, what] = ['', '']] = failed;
  const others = [...failed.keys()].filter((workerId) => workerId !== first);
  const too = others.length === 0 ? '' : ` (worker ${others.join(', ')} can't either)`;
  return new WorkerFailedError(`Worker ${first} can't do the run: ${what}${too}`, { peer: first });
}
