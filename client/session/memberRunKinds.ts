// The kinds of runs that a worker can take part in. One line each.

import type { TrainerName } from '../../shared/run/runSpec.ts';
import { gbdtMemberRun } from '../gbdt/gbdtMemberRun.ts';
import { loopMemberRun } from '../neural/loop/loopMemberRun.ts';
import { neuralMemberRun } from '../neural/run/neuralMemberRun.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { MemberRunKind } from '../memberRun/memberRun.ts';

const kinds: Readonly<Record<TrainerName, MemberRunKind>> = {
  gbdt: gbdtMemberRun,
  loop: loopMemberRun,
  neural: neuralMemberRun,
};

/** The kind that a fetched spec says it is of. @throws BadAssignmentError */
export function memberRunKindOf(spec: unknown): MemberRunKind {
  const name = (spec as { trainer?: unknown } | null)?.trainer;
  if (typeof name === 'string' && Object.hasOwn(kinds, name)) return kinds[name as TrainerName];
  throw new BadAssignmentError(
    `this worker knows runs of ${Object.keys(kinds).join(
      ', ',
    )}; the spec says ${JSON.stringify(name)?.slice(0, 64) ?? 'nothing'}`,
  );
}
