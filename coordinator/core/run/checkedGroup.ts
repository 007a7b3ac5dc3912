// Whether steps that a group makes of a net are checked: the owner's own workers are believed.

import type { Member } from './runState.ts';
import type { RunPlan } from './runPlan.ts';

/** By its members among themselves: one alone has nobody to be checked by. */
export function isCheckedGroup(
  { checks, kind }: Pick<RunPlan, 'checks' | 'kind'>,
  members: readonly Pick<Member, 'isOwners'>[],
): boolean {
  if (checks === 'never' || kind.recordsEveryRound || members.length < 2) return false;
  return checks === 'always' || members.some(({ isOwners }) => !isOwners);
}

/**
 * Of members that round differently the first rank's parameters count, whatever it computed: it is the owner's, where one is there.
 */
export function ownersFirst<T extends { readonly isOwners: boolean }>(
  { kind }: Pick<RunPlan, 'kind'>,
  workers: readonly T[],
): readonly T[] {
  if (kind.recordsEveryRound) return workers;
  return [...workers.filter(({ isOwners }) => isOwners), ...workers.filter(({ isOwners }) => !isOwners)];
}
