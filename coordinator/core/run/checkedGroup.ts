// Whether what a group computes is checked: the owner's own workers are believed.

import type { RunState } from './runState.ts';

/** Whether others than the owner's are in it. */
export function isCheckedGroup({ members, workers }: Pick<RunState, 'members' | 'workers'>): boolean {
  return members.length > 1 && members.some(({ workerId }) => workers.get(workerId)?.isOwners !== true);
}
