// Whether steps that a group makes of a net are checked: the owner's own workers are believed.

import type { Member, RunPlan } from './runState.ts';

/** By its members among themselves: one alone has nobody to be checked by. */
export function isCheckedGroup(
  { checks, kind }: Pick<RunPlan, 'checks' | 'kind'>,
  members: readonly Pick<Member, 'isOwners'>[],
): boolean {
  if (checks === 'never' || kind.recordsEveryRound || members.length < 2) return false;
  return checks === 'always' || members.some(({ isOwners }) => !isOwners);
}
