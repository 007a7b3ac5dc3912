// The kinds of runs that a worker can take part in. One line each.

import type { TrainerName } from '../../shared/run/runSpec.ts';
import { gbdtMemberRun } from '../gbdt/gbdtMemberRun.ts';
import { BadAssignmentError } from './errors.ts';
import type { MemberRunKind } from './memberRun.ts';

const kinds: Readonly<Partial<Record<TrainerName, MemberRunKind>>> = {
  gbdt: gbdtMemberRun,
};

/** The kind that a fetched spec says it is of. @throws BadAssignmentError */
export function memberRunKindOf(spec: unknown): MemberRunKind {
  const name = (spec as { trainer?: unknown } | null)?.trainer;
  const kind = typeof name === 'string' && Object.hasOwn(kinds, name) && kinds[name as TrainerName];
  if (kind) return kind;
  throw new BadAssignmentError(
    `this worker knows runs of ${Object.keys(kinds).join(
      ', ',
    )}; the spec says ${JSON.stringify(name)?.slice(0, 64) ?? 'nothing'}`,
  );
}
