// Lies of members, told by changing what their sessions do: the histograms of their devices, what they send in collectives, what
// they keep for the coordinator's questions and what they answer.

import { LinkCollective } from '../../../client/collective/linkCollective.ts';
import { RoundTrace, type TracedStep } from '../../../client/gbdt/roundTrace.ts';
import type { TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { decodeSplits, encodeSplits, mostSplitBytes } from '../../../shared/gbdt/splitCodec.ts';
import type { SplitMessage } from '../../../shared/gbdt/splitCodec.ts';
import type { CheckedRound } from '../../../shared/protocol/control.ts';
import type { SessionWorld } from '../../client/session/sessionWorld.ts';

/** Whether it lies in a round. */
export type LieRound = (round: number) => boolean;

/** Units of gradients: so much that a split at the changed cell is the best one. */
const MUCH = 2 ** 30;

export const lies = {
  'adds one to a cell of its histograms': { histograms: (cells: Float64Array) => changeCell(cells) },
  'adds much to a cell of its histograms': {
    histograms: (cells: Float64Array) => changeCell(cells, 2 ** 24),
  },
  'sends its last histograms again': { histograms: repeatLast() },
  'sends other sums than it tells': {
    histograms: (cells: Float64Array) => changeCell(cells),
    kept: (step: TracedStep) => ({ ...step, sent: undone(step.sent) }),
  },
  'never adds a tree to half of its rows': { skipsTrees: true },
  'sums its part wrongly': {
    part: (part: Float64Array) => {
      const at = part.findIndex((value, index) => index % 2 === 0 && value !== 0);
      if (at < 0 || at + 2 >= part.length) return;
      part[at]! += 2 ** 30;
      part[at + 2]! -= 2 ** 30;
    },
  },
  'says that it got other sums than it did': {
    kept: (step: TracedStep) => ({
      ...step,
      received: step.received.map((cells) => {
        const changed = cells.slice();
        if (changed.length > 0) changed[0]! += 1;
        return changed;
      }),
    }),
  },
  'sends far other sums than it tells': {
    histograms: (cells: Float64Array) => changeCell(cells, MUCH),
    kept: (step: TracedStep) => ({ ...step, sent: undone(step.sent, MUCH) }),
  },
  /** In league with the one before: it says that it got what that one tells. */
  'covers for another': {
    kept: (step: TracedStep) => ({
      ...step,
      received: step.received.map((cells) => (isChanged(cells) ? undone(cells, MUCH) : cells)),
    }),
  },
  'contradicts itself': {
    answer: (round: CheckedRound) => ({ ...round, sent: round.sent.map(() => [1]) }),
  },
  'says that it summed other nodes': {
    answer: (round: CheckedRound) => ({ ...round, steps: round.steps.slice(1) }),
  },
  'says that it summed a tree that there is not': {
    answer: (round: CheckedRound) => ({
      ...round,
      steps: round.steps.map((step) => ({ ...step, output: 99 })),
    }),
  },
  'says that it summed a limb that there is not': {
    answer: (round: CheckedRound) => ({
      ...round,
      steps: round.steps.map((step) => ({ ...step, limb: 'low' as const })),
    }),
  },
  'tells of another root': {
    splits: (message: SplitMessage) => ({
      root: message.root && { ...message.root, h: message.root.h + 1 },
      candidates: message.candidates.map((one) => (message.root ? undefined : one)),
    }),
  },
  'finds no split in its part': {
    splits: ({ root, candidates }: SplitMessage) => ({ root, candidates: candidates.map(() => undefined) }),
  },
} as const satisfies Record<string, LieHooks>;

export type Lie = keyof typeof lies;

interface LieHooks {
  readonly histograms?: (cells: Float64Array) => void;
  readonly kept?: (step: TracedStep) => TracedStep;
  readonly part?: (part: Float64Array) => void;
  readonly answer?: (round: CheckedRound) => CheckedRound;
  readonly skipsTrees?: boolean;
  readonly splits?: (message: SplitMessage) => SplitMessage;
}

export interface Liar {
  readonly hooks: LieHooks;
  readonly lies: LieRound;
  round: number;
}

/** Makes these members of a world lie. @returns what ends it. */
export function dishonest(
  world: SessionWorld,
  named: ReadonlyMap<string, { readonly lie: Lie; readonly lies: LieRound }>,
  /** Worker ids of the last generation by rank. */
  ranks: ReadonlyMap<number, string>,
): () => void {
  const liars = new Map([...named].map(([workerId, { lie, lies: when }]) => [workerId, liarOf(lie, when)]));
  for (const [workerId, liar] of liars)
    world.wrapDevice.set(workerId, (device) => {
      lieOnDevice(device, liar);
      return device;
    });
  return lieInGroups(({ rank }) => liars.get(ranks.get(rank) ?? ''));
}

export function liarOf(lie: Lie, when: LieRound): Liar {
  return { hooks: lies[lie], lies: when, round: -1 };
}

/** Changes what all traces and collectives of this thread do. @returns what ends it. */
export function lieInGroups(liarAt: (at: { readonly rank: number }) => Liar | undefined): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- called with the object that it was called on
  const { begin, keep, check } = RoundTrace.prototype;
  // oxlint-disable-next-line typescript/unbound-method -- the same
  const { reduceScatter, allGather } = LinkCollective.prototype;
  const lying = (liar: Liar | undefined): LieHooks | undefined =>
    liar && liar.lies(liar.round) ? liar.hooks : undefined;
  RoundTrace.prototype.begin = function (this: RoundTrace, round, signal) {
    const liar = liarAt(this);
    if (liar) liar.round = round;
    return begin.call(this, round, signal);
  };
  RoundTrace.prototype.keep = function (this: RoundTrace, step) {
    keep.call(this, lying(liarAt(this))?.kept?.(step) ?? step);
  };
  RoundTrace.prototype.check = function (this: RoundTrace, seed, first, end) {
    const told = check.call(this, seed, first, end);
    const liar = liarAt(this);
    return told.map((one) => (liar?.lies(one.round) === true ? (liar.hooks.answer?.(one) ?? one) : one));
  };
  LinkCollective.prototype.reduceScatter = async function (
    this: LinkCollective,
    data,
    bounds,
    operation,
    options,
  ) {
    const part = await reduceScatter.call(this, data, bounds, operation, options);
    if (part instanceof Float64Array) lying(liarAt(this))?.part?.(part);
    return part as typeof data;
  };
  LinkCollective.prototype.allGather = function (this: LinkCollective, bytes, options) {
    const change = lying(liarAt(this))?.splits;
    return allGather.call(this, change ? otherSplits(bytes, options.maxBytes, change) : bytes, options);
  };
  return () => {
    Object.assign(RoundTrace.prototype, { begin, keep, check });
    Object.assign(LinkCollective.prototype, { reduceScatter, allGather });
  };
}

/** @param device one device, or what all of a kind inherit from. */
export function lieOnDevice(device: TreeDevice, liar: Liar): void {
  // oxlint-disable-next-line typescript/unbound-method -- the same
  const { buildHistograms, applyTrees } = device;
  device.buildHistograms = async function (this: TreeDevice, nodes, limb) {
    const cells = (await buildHistograms.call(this, nodes, limb)).slice();
    if (liar.lies(liar.round)) liar.hooks.histograms?.(cells);
    return cells;
  };
  device.applyTrees = function (this: TreeDevice, blocks, trees) {
    const skips = liar.hooks.skipsTrees === true && liar.lies(liar.round);
    applyTrees.call(this, skips ? blocks.slice(Math.ceil(blocks.length / 2)) : blocks, trees);
  };
}

function changeCell(cells: Float64Array, amount = 1): void {
  // Moved from one slot to the next, so that the sums of the node stay.
  const at = cells.findIndex((value, index) => index % 2 === 0 && value !== 0);
  if (at < 0 || at + 2 >= cells.length) return;
  cells[at]! += amount;
  cells[at + 2]! -= amount;
}

/** As it was before `changeCell`: of one node in one part, or of the first part. */
function undone(sent: Float64Array, amount = 1): Float64Array {
  const cells = sent.slice();
  changeCell(cells, -amount);
  return cells;
}

function isChanged(cells: Float64Array): boolean {
  return cells.some((value) => Math.abs(value) > MUCH / 2);
}

function repeatLast(): (cells: Float64Array) => void {
  const last = new Map<number, Float64Array>();
  return (cells) => {
    const before = last.get(cells.length);
    last.set(cells.length, cells.slice());
    if (before) cells.set(before);
  };
}

/** A message of best splits, changed; others as they are. */
function otherSplits(
  bytes: Uint8Array,
  maxBytes: number,
  change: (message: SplitMessage) => SplitMessage,
): Uint8Array {
  for (let nodes = 1; mostSplitBytes(nodes) <= maxBytes; nodes += 1) {
    if (mostSplitBytes(nodes) !== maxBytes) continue;
    try {
      return encodeSplits(change(decodeSplits(bytes, nodes, 4096, false)));
    } catch {
      return bytes;
    }
  }
  return bytes;
}
