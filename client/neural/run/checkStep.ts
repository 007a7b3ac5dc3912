// A step done again with other roles, before its update is applied: every contribution is computed by another member, every part is
// added up by another one. What comes out must be what was said, to the bit where devices compute alike.

import type { Collective } from '../../../shared/collective/collective.ts';
import type { StepDispute } from '../../../shared/protocol/stepDispute.ts';
import { cutPieces, type ExchangedBucket } from './pieceSum.ts';
import { checkRoles, type CheckRoles } from './checkRoles.ts';
import type { Combine } from './combine.ts';
import { farDigest, GRADIENT_TOLERANCE, relativeDistance } from './gradientDistance.ts';
import { joinDigests, noDigest } from './pieceDigests.ts';
import {
  contributionOf,
  digestsByPart,
  joinPieces,
  pieceBytes,
  pieceLength,
  splitPieces,
  sumDigest,
  type CheckedWork,
  type UnappliedStep,
} from './redoneWork.ts';
import {
  decodeFinding,
  encodeFinding,
  findingBytes,
  isKnown,
  type StepFinding,
  type StepWord,
} from './stepWord.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';

export interface StepCheck {
  readonly collective: Collective;
  readonly work: CheckedWork;
  readonly step: UnappliedStep;
  /** By rank. */
  readonly words: readonly StepWord[];
  readonly seed: number;
  readonly exchanged: readonly ExchangedBucket[];
  readonly combine: Combine;
  /** All members compute the same bits. */
  readonly isExact: boolean;
}

type Pieces = readonly (readonly Uint8Array[])[];

/** @returns the first thing that is not as it was said, the same one at all members. */
export async function checkStep(check: StepCheck): Promise<StepDispute | undefined> {
  const { collective, words, seed, work } = check;
  const { rank, size } = collective;
  const roles = checkRoles(seed, size);
  const audited = roles.auditedBy(rank);
  const opened = check.isExact ? undefined : await openTo(check, (to) => to === roles.auditorOf(rank));
  const own = await cutContribution(audited, check);
  const told = words[audited]!.sent;
  const sent = opened
    ? await compareParts(check, own, opened[audited]!, audited)
    : await digestsByPart(own, size);
  // Where devices differ, the pieces that were sent are those that were added up.
  const pieces = opened && sent.join() === told.join() ? splitParts(check, opened[audited]!, audited) : own;
  const sum = await addAgain(check, roles, pieces);
  const findings = await tellFindings(collective, { sent, sum }, work.signal);
  const dispute = disputeIn(words, findings, roles);
  if (!dispute) return undefined;
  const found =
    dispute.what === 'gradient'
      ? await judgeGradient(check, dispute.rank)
      : await judgeSum(check, roles, dispute.rank, pieces);
  return { ...dispute, found };
}

async function cutContribution(rank: number, { work, step, collective }: StepCheck): Promise<Pieces> {
  const values = await contributionOf(rank, work, step);
  return values.map((bucket) => cutPieces(bucket, collective.size, work.codec));
}

/** Shows some members what was sent in the step. @returns what each showed this one. */
async function openTo(check: StepCheck, isShown: (rank: number) => boolean): Promise<readonly Uint8Array[]> {
  const { collective, exchanged, work } = check;
  const { size, rank } = collective;
  const nothing = new Uint8Array(0);
  const all = Array.from({ length: size }, (_, part) =>
    joinPieces(
      exchanged.map(({ sent }) => sent),
      part,
    ),
  );
  const own = concatenated(all);
  const outgoing = Array.from({ length: size }, (_, to) => (isShown(to) && to !== rank ? own : nothing));
  const shown = await collective.exchange(outgoing, { signal: work.signal, maxBytes: own.length });
  return shown.with(rank, own);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What a member showed of its contribution, by bucket and part. */
function splitParts({ collective, work }: StepCheck, bytes: Uint8Array, from: number): Pieces {
  const { size } = collective;
  const { layout } = work.engine;
  const lengths = Array.from({ length: size }, (_, part) => pieceBytes(layout, part, size, work.codec));
  const flat = splitPieces(bytes, lengths.flat(), collective, from);
  const buckets = layout.buckets.length;
  return layout.buckets.map((_, bucket) =>
    Array.from({ length: size }, (__, part) => flat[part * buckets + bucket]!),
  );
}

/** By part: the digest that was told, where what is shown has it and lies near what was computed here; else that it is far. */
async function compareParts(
  check: StepCheck,
  own: Pieces,
  shown: Uint8Array,
  from: number,
): Promise<string[]> {
  const { collective, work, words } = check;
  const { size } = collective;
  const told = words[from]!.sent;
  if (shown.length !== concatenated(own.flat()).length) return told.map(() => farDigest);
  const pieces = splitParts(check, shown, from);
  const digests = await digestsByPart(pieces, size);
  const { buckets } = work.engine.layout;
  const decoded = (of: Pieces, part: number): Float32Array[] =>
    buckets.map(({ length }, bucket) =>
      work.codec.decode(of[bucket]![part]!, pieceLength(length, part, size)),
    );
  return digests.map((digest, part) => {
    const distance = relativeDistance(decoded(own, part), decoded(pieces, part));
    return digest === told[part] && distance <= GRADIENT_TOLERANCE ? digest : farDigest;
  });
}

/** Adds up another member's part, from pieces that those who computed them again hold. noDigest where one is not as it was told. */
async function addAgain(check: StepCheck, roles: CheckRoles, pieces: Pieces): Promise<string> {
  const { collective, work } = check;
  const { rank, size } = collective;
  const part = roles.partOf(rank);
  const lengths = pieceBytes(work.engine.layout, part, size, work.codec);
  const outgoing = Array.from({ length: size }, (_, to) => joinPieces(pieces, roles.partOf(to)));
  const most = Math.max(...outgoing.map(({ length }) => length));
  const received = (await collective.exchange(outgoing, { signal: work.signal, maxBytes: most })).with(
    rank,
    outgoing[rank]!,
  );
  const byRank: (readonly Uint8Array[])[] = [];
  for (const [from, bytes] of received.entries())
    byRank[roles.auditedBy(from)] = splitPieces(bytes, lengths, collective, from);
  return sumOf(check, part, byRank);
}

/** @param byRank of the part, then by bucket. */
async function sumOf(
  { collective, work, words, combine }: StepCheck,
  part: number,
  byRank: readonly (readonly Uint8Array[])[],
): Promise<string> {
  for (const [rank, pieces] of byRank.entries()) {
    const [digest] = await digestsByPart(
      pieces.map((piece) => [piece]),
      1,
    );
    if (digest !== words[rank]!.sent[part]) return noDigest;
  }
  const lengths = work.engine.layout.buckets.map(({ length }) => pieceLength(length, part, collective.size));
  return sumDigest(byRank, { codec: work.codec, combine }, lengths);
}

async function tellFindings(
  collective: Collective,
  own: StepFinding,
  signal: AbortSignal,
): Promise<StepFinding[]> {
  const { size } = collective;
  const told = await collective.allGather(encodeFinding(own), { signal, maxBytes: findingBytes(size) });
  return told.map((bytes, rank) => readFromPeer(collective, rank, () => decodeFinding(bytes, size)));
}

/** A wrong contribution makes all sums others: those are looked at where all contributions are right. */
function disputeIn(
  words: readonly StepWord[],
  findings: readonly StepFinding[],
  roles: CheckRoles,
): Omit<StepDispute, 'found'> | undefined {
  for (const [rank, { sent }] of words.entries()) {
    const by = roles.auditorOf(rank);
    const again = findings[by]!.sent;
    if (again.join() === sent.join()) continue;
    const isFar = again.includes(farDigest);
    return {
      what: 'gradient',
      rank,
      by,
      claimed: joinDigests(sent),
      again: isFar ? farDigest : joinDigests(again),
    };
  }
  for (const part of words.keys()) {
    const by = roles.adderOf(part);
    const again = findings[by]!.sum;
    const claimed = words[part]!.sums[part]!;
    if (isKnown(again) && again !== claimed) return { what: 'sum', rank: part, by, claimed, again };
  }
  return undefined;
}

/** Every member computes the contribution: what most of them find is right. */
async function judgeGradient(check: StepCheck, rank: number): Promise<string> {
  const { collective, words } = check;
  const shown = check.isExact ? undefined : await openTo(check, () => collective.rank === rank);
  const own = await cutContribution(rank, check);
  if (!shown) return joinDigests(await digestsByPart(own, collective.size));
  const parts = await compareParts(check, own, shown[rank]!, rank);
  return parts.includes(farDigest) ? farDigest : joinDigests(words[rank]!.sent);
}

/** Every member adds the part up, from pieces of which all know the digests. */
async function judgeSum(check: StepCheck, roles: CheckRoles, part: number, pieces: Pieces): Promise<string> {
  const { collective, work } = check;
  const { size } = collective;
  const lengths = pieceBytes(work.engine.layout, part, size, work.codec);
  const maxBytes = lengths.reduce((sum, length) => sum + length, 0);
  const own = joinPieces(pieces, part);
  const told = await collective.allGather(own, { signal: work.signal, maxBytes, isWitnessed: false });
  const byRank: (readonly Uint8Array[])[] = [];
  for (const [from, bytes] of told.entries())
    byRank[roles.auditedBy(from)] = splitPieces(bytes, lengths, collective, from);
  return sumOf(check, part, byRank);
}
