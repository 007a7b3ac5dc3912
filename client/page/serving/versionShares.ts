// How much of a deployment each of its versions has, while it is updated from one to the other.

import type { ToldReplica } from '../../../shared/api/servingAnswers.ts';

export interface VersionShare {
  /** Undefined where its owner gave none. */
  readonly version: string | undefined;
  /** Whether it is the one that is updated to. */
  readonly isCurrent: boolean;
  /** That take requests. */
  readonly replicas: number;
  /** Of what the replicas that are there have answered, in [0, 1]. */
  readonly answers: number;
}

/** The older one first; one entry where no update goes on. */
export function versionShares(replicas: readonly ToldReplica[]): VersionShare[] {
  const all = replicas.reduce((sum, { answered }) => sum + answered, 0);
  return [false, true].flatMap((isCurrent): VersionShare[] => {
    const own = replicas.filter((replica) => replica.isCurrent === isCurrent);
    if (own.length === 0) return [];
    const answered = own.reduce((sum, replica) => sum + replica.answered, 0);
    return [
      {
        version: own[0]?.version,
        isCurrent,
        replicas: own.filter(({ state }) => state === 'running').length,
        answers: all === 0 ? 0 : answered / all,
      },
    ];
  });
}
