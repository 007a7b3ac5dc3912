// Whether what members tell of their best splits fits what all of them know: a split that does not would grow the same
// wrong tree everywhere, or fail at those who believe it.

import { othersOf, PeerMessageError } from '../../shared/collective/peerMessage.ts';
import type { Collective } from '../../shared/collective/collective.ts';
import { TreeFormatError } from '../../shared/gbdt/errors/gbdtErrors.ts';
import { NO_ROOT, rootText } from '../../shared/gbdt/check/rootText.ts';
import { checkGradientSum } from '../../shared/gbdt/exactSums.ts';
import { gainOfSplit, joinLimbs } from '../../shared/gbdt/split.ts';
import type { SplitCandidate } from '../../kernels/gbdt/splitCandidate.ts';
import type { NodeSums, OpenNode } from '../../shared/gbdt/split.ts';
import type { SplitMessage } from '../../shared/gbdt/splitCodec.ts';
import { UNBOUNDED } from '../../shared/gbdt/splitScore.ts';
import type { SplitScore } from '../../shared/gbdt/splitScore.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import { messageOf } from '../../shared/text/messageOf.ts';

export interface SplitSender {
  /** Features that the sender searches: [first, end). */
  readonly first: number;
  readonly end: number;
  readonly spec: Pick<TrainSpec, 'features' | 'device' | 'trainRows'>;
  readonly score: SplitScore;
  /** The nodes that are asked for. Of the root nothing is known where this member has no features. */
  readonly nodes: readonly OpenNode[];
  readonly isRoot: boolean;
}

/** The root before anything of the tree is known: as a leaf it is bounded by nothing. */
export function openRoot(sums: NodeSums, score: SplitScore): OpenNode {
  const g = joinLimbs(sums.g, sums.low?.g ?? 0);
  const h = joinLimbs(sums.h, sums.low?.h ?? 0);
  return { ...sums, bounds: UNBOUNDED, gain: score.gain(g, h, score.weight(g, h, UNBOUNDED)) };
}

/** @throws TreeFormatError naming what does not fit, SumsInexactError when a sum is too large. */
export function checkSplits({ root, candidates }: SplitMessage, sender: SplitSender): void {
  const { first, end, isRoot } = sender;
  if ((root !== undefined) !== (isRoot && end > first)) throw wrong('sums of the root where none belong');
  candidates.forEach((candidate, index) => {
    const node = sender.nodes[index] ?? (root && openRoot(root, sender.score));
    if (candidate && node) checkSplit(candidate, node, sender);
  });
}

function checkSplit(candidate: SplitCandidate, node: OpenNode, sender: SplitSender): void {
  const { first, end, spec, score } = sender;
  const { features } = spec;
  const { feature, splitBin, categories, leftG, leftH, rightG, rightH, low } = candidate;
  if (feature < first || feature >= end) throw wrong(`feature ${feature} of another member`);
  const { bins, categorical, monotone } = features[feature]!;
  if (categorical !== (categories !== undefined)) throw wrong(`the kind of feature ${feature}`);
  if (!categorical && splitBin >= bins) throw wrong(`bin ${splitBin} of ${bins} of feature ${feature}`);
  const isWhole = leftG + rightG === node.g && leftH + rightH === node.h;
  const [left, right] = [joinLimbs(leftH, low?.leftH ?? 0), joinLimbs(rightH, low?.rightH ?? 0)];
  if (!isWhole || !lowIsWhole(candidate, node) || left < 0 || right < 0) {
    throw wrong(
      `sums of children ${leftG}/${leftH} and ${rightG}/${rightH} of a node of ${node.g}/${node.h}`,
    );
  }
  for (const g of [leftG, rightG]) checkGradientSum(g, spec);
  const gain = gainOfSplit(score, node, candidate, monotone);
  if (gain !== candidate.gain) throw wrong(`a gain of ${candidate.gain} of a split that gains ${gain}`);
}

function lowIsWhole({ low }: SplitCandidate, node: NodeSums): boolean {
  if (!low || !node.low) return low === node.low;
  return low.leftG + low.rightG === node.low.g && low.leftH + low.rightH === node.low.h;
}

function wrong(what: string): TreeFormatError {
  return new TreeFormatError(`a split message of a peer has ${what}`);
}

/** What each told of the sums of the root, by rank, where not all tell the same. */
export function differingRoots(messages: readonly SplitMessage[]): string[] | undefined {
  const roots = messages.map(({ root }) => rootText(root));
  return new Set(roots.filter((root) => root !== NO_ROOT)).size > 1 ? roots : undefined;
}

function mostGiven(roots: readonly string[]): string | undefined {
  const given = roots.filter((root) => root !== NO_ROOT);
  return given.find((root) => 2 * given.filter((other) => other === root).length > given.length);
}

/**
 * The sums of the root, as all owners of features have them.
 * @throws PeerMessageError naming the sender that differs from most; all others where there is no majority.
 */
export function agreedRoot(messages: readonly SplitMessage[], collective: Collective): NodeSums {
  const roots = messages.map(({ root }) => rootText(root));
  const given = roots.filter((root) => root !== NO_ROOT);
  const most = mostGiven(roots);
  const isSuspect = roots.map((root) => root !== NO_ROOT && root !== most);
  if (isSuspect.includes(true)) {
    const peers = collective.members.filter((_, rank) => isSuspect[rank]);
    const isClear = most !== undefined && isSuspect[collective.rank] !== true;
    throw new PeerMessageError(
      `Members sum the gradients of all rows to ${given.join(', ')}`,
      isClear ? peers : othersOf(collective),
    );
  }
  const root = messages.find((message) => message.root !== undefined)?.root;
  if (!root) throw new TreeFormatError('no member of the group sent the sums of the root');
  return root;
}

/**
 * Looks at gradient sums that this member has made of what all sent.
 * @throws SumsInexactError when one is too large, where this member is alone; in a group PeerMessageError: any of the others may
 *   have spoilt it, and this member is as able as they are.
 */
export function checkExact(sums: readonly number[], spec: TrainSpec, collective: Collective): void {
  try {
    for (const g of sums) checkGradientSum(g, spec);
  } catch (error) {
    if (collective.size === 1) throw error;
    throw new PeerMessageError(messageOf(error), othersOf(collective), { cause: error });
  }
}

/** @throws PeerMessageError when what was summed over the members is not whole: honest contributions are. */
export function checkWhole(numbers: readonly number[], collective: Collective): void {
  if (numbers.every((number) => Number.isSafeInteger(number))) return;
  throw new PeerMessageError(
    `Gradients summed over the members are ${numbers.join(', ')}; expected whole numbers`,
    othersOf(collective),
  );
}

/** The same of the best splits that this member has found, before it tells them. */
export function checkOwnSplits(
  own: readonly (SplitCandidate | undefined)[],
  spec: TrainSpec,
  collective: Collective,
): void {
  for (const split of own) {
    for (const sides of split ? [split, ...(split.low ? [split.low] : [])] : [])
      checkWhole([sides.leftG, sides.leftH, sides.rightG, sides.rightH], collective);
    if (split) checkExact([split.leftG, split.rightG], spec, collective);
  }
}
