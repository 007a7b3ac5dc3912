// Who lied in a step of a net, from what the members of its group found when they did the disputed work again: what an owner's worker
// found is right, else what more than half of the group found.

import type { StepDispute } from '../../../../shared/protocol/stepDispute.ts';

/** What a member told of a disputed step. */
export interface ToldDispute {
  readonly round: number;
  readonly dispute: StepDispute;
}

/** A step whose check found something else than was said. */
export interface StepTrial {
  readonly told: ReadonlyMap<string, ToldDispute>;
  /** Who has not told by then does not count. */
  readonly deadlineMs: number;
}

export interface StepVerdict {
  readonly round: number;
  readonly what: StepDispute['what'];
  /** A digest, or that what was claimed is further from it than devices may differ. */
  readonly right: string;
  /** Ranks of those who said otherwise, and what they said. */
  readonly liars: readonly { readonly rank: number; readonly claimed: string }[];
}

export interface StepJury {
  /** Worker ids by rank, of the whole group. */
  readonly places: readonly string[];
  readonly isOwners: (workerId: string) => boolean;
}

/** @returns undefined while, or where, it can not be known. */
export function judgeStep(
  told: ReadonlyMap<string, ToldDispute>,
  { places, isOwners }: StepJury,
): StepVerdict | undefined {
  const believed = [...told].filter(([workerId]) => isOwners(workerId)).map(([, word]) => word);
  const word = ofMost(believed, believed.length) ?? ofMost([...told.values()], places.length);
  if (!word) return undefined;
  const { round, dispute } = word;
  const { what, rank, by, claimed, again, found: right } = dispute;
  const liars = [
    { rank, claimed },
    { rank: by, claimed: again },
  ].filter((one) => one.claimed !== right);
  return { round, what, right, liars };
}

/** What more than half of so many say, of those who found anything. */
function ofMost(words: readonly ToldDispute[], electorate: number): ToldDispute | undefined {
  const keys = words.map(keyOf);
  return words.find(
    ({ dispute }, at) =>
      !isUnknown(dispute.found) && 2 * keys.filter((key) => key === keys[at]).length > electorate,
  );
}

function keyOf({ round, dispute }: ToldDispute): string {
  const { what, rank, by, claimed, again, found } = dispute;
  return [round, what, rank, by, claimed, again, found].join(' ');
}

function isUnknown(digest: string): boolean {
  return /^0+$/.test(digest);
}
