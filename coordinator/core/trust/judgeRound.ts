// Who is to blame for a wrong round of trees: from what members told of their sums, and what the rows say.
//
// Every member tells the fingerprint of what it sent to each for that one's part, and of what it got from each. Where two
// differ, one of them lies. What a member says it sent must be what its rows give. And the trees' values must follow from all
// rows: where they do not though all sums were sent rightly, who searched the feature of the false split made them up.
//
// What rests on the word of members alone counts where most of the group say it, or most of the owner's workers in it: those who
// answer may be few, and in league.

import { add, isEqual, nothing, scale } from '../../../shared/gbdt/check/fingerprint.ts';
import type { CheckKey, Fingerprint } from '../../../shared/gbdt/check/checkKey.ts';
import { NO_ROOT } from '../../../shared/gbdt/check/rootText.ts';
import type { ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import type { HistogramStep } from '../../../shared/gbdt/histogramSteps.ts';
import type { CheckedRound } from '../../../shared/protocol/control.ts';
import type { AuditedMember, Fault } from './roundAudit.ts';

export interface RoundToJudge {
  readonly round: number;
  /** By rank. */
  readonly members: readonly AuditedMember[];
  /** By rank: of the round; undefined where it is not told. */
  readonly told: readonly (CheckedRound | undefined)[];
  readonly replayed: ReplayedRound;
  readonly key: CheckKey;
  /** By rank, as they were given for the replay of each member. */
  readonly partWeights: readonly (readonly number[])[];
  /** Rank of the member that searches a feature. */
  readonly searcherOf: (feature: number) => number;
}

type LieNumbers = Pick<Extract<Fault, { kind: 'lie' }>['evidence'], 'shards' | 'claimed' | 'found'>;

/** @returns nothing where the round is right. */
export function judgeRound(round: RoundToJudge): Fault[] {
  const { members, told } = round;
  const lies = members.flatMap((_, rank) =>
    told[rank] ? ownLies(round, rank, told[rank]) : falseAbsent(round, rank),
  );
  const liars = new Set(lies.flatMap((fault) => (fault.kind === 'lie' ? [fault.workerId] : [])));
  const quarrels = linkFaults(round).filter(({ workerIds }) => !workerIds.some((id) => liars.has(id)));
  const faults = [...lies, ...quarrels.map((quarrel) => settled(round, quarrel))];
  return faults.length > 0 ? faults : (refusals(round) ?? treeFaults(round));
}

function ownLies(round: RoundToJudge, rank: number, told: CheckedRound): Fault[] {
  const { members, key, replayed, partWeights } = round;
  if (told.sent.length !== members.length || told.received.length !== members.length)
    return [lieOf(round, rank, 'what it says of its sums is of another group')];
  if (!isSameSteps(told.steps, replayed.steps)) return [otherSteps(round, rank)];
  const whole = told.sent.reduce<Fingerprint>((sum, part) => add(key, sum, part), nothing(key));
  const ofSteps = told.steps.reduce<Fingerprint>((sum, step) => add(key, sum, step.sum), nothing(key));
  if (!isEqual(whole, ofSteps)) return [lieOf(round, rank, 'what it says of its sums contradicts itself')];
  const weighed = weigh(key, told.sent, partWeights[rank]!);
  const found = replayed.members[rank]!;
  if (isEqual(weighed, found)) return [];
  const { leases } = members[rank]!;
  const shards = leases.filter(({ dataset }) => dataset === 'train').map(({ index }) => `train/${index}`);
  return [
    lieOf(round, rank, 'its sums are not those of its rows', {
      shards,
      claimed: hex(weighed),
      found: hex(found),
    }),
  ];
}

/** A member that is gone tells nothing: what those who are there got of it must be what its rows give. */
function falseAbsent(round: RoundToJudge, rank: number): Fault[] {
  const { members, told, key, replayed, partWeights } = round;
  if (members.length === 1 || told.every((one) => one === undefined)) return [];
  const heard = told.map((one) => one?.received[rank] ?? nothing(key));
  if (isEqual(weigh(key, heard, partWeights[rank]!), replayed.members[rank]!)) return [];
  const what = `what members got of worker ${members[rank]!.workerId}, which is gone, is not what its rows give`;
  return [{ kind: 'unexplained', round: round.round, what }];
}

function linkFaults({ members, told, round }: RoundToJudge): Extract<Fault, { kind: 'quarrel' }>[] {
  return members.flatMap((sender, from) =>
    members.flatMap((receiver, to): Extract<Fault, { kind: 'quarrel' }>[] => {
      const [sent, received] = [told[from]?.sent[to], told[to]?.received[from]];
      if (from === to || !sent || !received || isEqual(sent, received)) return [];
      return [
        {
          kind: 'quarrel',
          workerIds: [sender.workerId, receiver.workerId],
          round,
          what: `worker ${sender.workerId} says it sent other sums than worker ${receiver.workerId} says it got`,
        },
      ];
    }),
  );
}

/** Owner's workers are believed. */
function settled(round: RoundToJudge, quarrel: Extract<Fault, { kind: 'quarrel' }>): Fault {
  const { members } = round;
  const ranks = quarrel.workerIds.map((id) => members.findIndex(({ workerId }) => workerId === id));
  const strangers = ranks.filter((rank) => !members[rank]!.isOwners);
  if (strangers.length === 2) return quarrel;
  if (strangers.length === 0) return { kind: 'unexplained', round: round.round, what: quarrel.what };
  return lieOf(round, strangers[0]!, quarrel.what);
}

/** All sums were sent rightly, and yet what some told of their best splits, or of the root's sums, can not be: these made it up. */
function refusals(round: RoundToJudge): Fault[] | undefined {
  const ranks = [...round.members.keys()];
  const refused = ranks.filter((rank) => isHeld(round, ({ refused: named }) => named.includes(rank)));
  const what = 'what it told of its best splits can not be';
  // Of all together nobody can be named.
  if (refused.length === ranks.length && ranks.length > 1)
    return [{ kind: 'unexplained', round: round.round, what: 'sums of all members can not be' }];
  const roots = ranks.filter((rank) => isHeld(round, (told) => hasFalseRoot(round, told, rank)));
  const lies = [
    ...refused.map((rank) => lieOfSearcher(round, rank, what)),
    ...roots.map((rank) => lieOfSearcher(round, rank, 'its sums of all rows are not those of the rows')),
  ];
  if (lies.length > 0) return lies;
  // The tree was grown no further, and too few are there to say why.
  const heard = round.told.filter((one) => one !== undefined);
  const doubted = ranks.some(
    (rank) => 2 * heard.filter((told) => told.refused.includes(rank)).length > heard.length,
  );
  return doubted ? [{ kind: 'unexplained', round: round.round, what }] : undefined;
}

function hasFalseRoot({ replayed }: RoundToJudge, { roots = [] }: CheckedRound, rank: number): boolean {
  return roots.some(({ output, told }) => {
    const root = told[rank] ?? NO_ROOT;
    return root !== NO_ROOT && replayed.roots[output] !== undefined && root !== replayed.roots[output];
  });
}

function isUnrefused({ refused, roots = [] }: CheckedRound): boolean {
  return refused.length === 0 && roots.length === 0;
}

/** Whether most of the group say so; where owner's workers tell of the round, most of these. */
function isHeld({ members, told }: RoundToJudge, says: (told: CheckedRound) => boolean): boolean {
  const owners = told.filter((one, rank) => one && members[rank]!.isOwners);
  const [voters, size] = owners.length > 0 ? [owners, owners.length] : [told, members.length];
  return 2 * voters.filter((one) => one && says(one)).length > size;
}

/** All sums were sent rightly. */
function treeFaults(round: RoundToJudge): Fault[] {
  const { falseValue, hidden } = round.replayed;
  if (hidden) {
    const { tree, node, feature, gain, hasGain } = hidden;
    const what = `it kept the best split of node ${node} of tree ${tree} to itself`;
    const numbers = { claimed: String(hasGain), found: String(gain) };
    const searcher = round.searcherOf(feature);
    const own = round.told[searcher];
    // Of a tree that was grown no further the best split was not left out by who searched it.
    if (own && !isUnrefused(own) && !isHeld(round, isUnrefused))
      return [{ kind: 'unexplained', round: round.round, what }];
    return [lieOfSearcher(round, searcher, what, numbers)];
  }
  if (!falseValue) return [];
  const { feature, node, tree, what, claimed, found } = falseValue;
  const where = `the ${what} of node ${node} of tree ${tree} does not follow from the rows`;
  if (feature === undefined) return [{ kind: 'unexplained', round: round.round, what: where }];
  const numbers = { claimed: String(claimed), found: String(found) };
  return [lieOfSearcher(round, round.searcherOf(feature), where, numbers)];
}

/** Of one that told nothing it is not known what it got: it may have searched false sums honestly. */
function lieOfSearcher(round: RoundToJudge, rank: number, what: string, more: LieNumbers = {}): Fault {
  if (round.told[rank]) return lieOf(round, rank, what, more);
  return { kind: 'unexplained', round: round.round, what };
}

function otherSteps(round: RoundToJudge, rank: number): Fault {
  const what = 'it says that it summed other nodes than the trees were grown from';
  const { areStepsCertain, steps } = round.replayed;
  if (areStepsCertain || isHeld(round, (told) => isSameSteps(told.steps, steps)))
    return lieOf(round, rank, what);
  // Those who contradict each other are too few, and the trees do not tell who is right.
  return { kind: 'unexplained', round: round.round, what };
}

function isSameSteps(told: readonly HistogramStep[], steps: readonly HistogramStep[]): boolean {
  return (
    told.length === steps.length &&
    steps.every(({ output, limb, nodes }, i) => {
      const one = told[i]!;
      return (
        one.output === output &&
        one.limb === limb &&
        one.nodes.length === nodes.length &&
        nodes.every((node, at) => one.nodes[at] === node)
      );
    })
  );
}

function weigh(key: CheckKey, parts: readonly Fingerprint[], weights: readonly number[]): Fingerprint {
  return parts.reduce<Fingerprint>(
    (sum, part, rank) => add(key, sum, scale(key, part, weights[rank]!)),
    nothing(key),
  );
}

function lieOf({ members, round }: RoundToJudge, rank: number, what: string, more: LieNumbers = {}): Fault {
  const { workerId, isOwners } = members[rank]!;
  // An owner's worker is believed: what is wrong there is a defect.
  if (isOwners) return { kind: 'unexplained', round, what: `${what}, of worker ${workerId} of the owner` };
  return { kind: 'lie', workerId, evidence: { what, round, ...more } };
}

function hex(fingerprint: Fingerprint): string {
  return fingerprint.map((value) => value.toString(16).padStart(8, '0')).join('');
}
