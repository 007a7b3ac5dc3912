// Lies of members, told by changing what their sessions do: the histograms of their devices, what they send in collectives, what
// they keep for the coordinator's questions and what they answer.

import { LinkCollective } from '../../../client/collective/linkCollective.ts';
import { RoundTrace, type TracedStep } from '../../../client/gbdt/roundTrace.ts';
import type { TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { decodeSplits, encodeSplits, mostSplitBytes } from '../../../shared/gbdt/splitCodec.ts';
import type { CheckedRound } from '../../../shared/protocol/control.ts';
import type { SessionWorld } from '../../client/session/sessionWorld.ts';

/** Whether it lies in a round. */
export type LieRound = (round: number) => boolean;

export const lies = {
  'adds one to a cell of its histograms': { histograms: changeCell },
  'sends its last histograms again': { histograms: repeatLast() },
  'sends other sums than it tells': {
    histograms: changeCell,
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
  'contradicts itself': {
    answer: (round: CheckedRound) => ({ ...round, sent: round.sent.map(() => [1]) }),
  },
  'says that it summed other nodes': {
    answer: (round: CheckedRound) => ({ ...round, steps: round.steps.slice(1) }),
  },
  'finds no split in its part': { hidesSplits: true },
} as const satisfies Record<string, LieHooks>;

export type Lie = keyof typeof lies;

interface LieHooks {
  readonly histograms?: (cells: Float64Array) => void;
  readonly kept?: (step: TracedStep) => TracedStep;
  readonly part?: (part: Float64Array) => void;
  readonly answer?: (round: CheckedRound) => CheckedRound;
  readonly skipsTrees?: boolean;
  readonly hidesSplits?: boolean;
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
    const hides = lying(liarAt(this))?.hidesSplits === true;
    return allGather.call(this, hides ? withoutSplits(bytes, options.maxBytes) : bytes, options);
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

function changeCell(cells: Float64Array): void {
  // Moved from one slot to the next, so that the sums of the node stay.
  const at = cells.findIndex((value, index) => index % 2 === 0 && value !== 0);
  if (at < 0 || at + 2 >= cells.length) return;
  cells[at]! += 1;
  cells[at + 2]! -= 1;
}

/** As it was before `changeCell`: of one node in one part, or of the first part. */
function undone(sent: Float64Array): Float64Array {
  const cells = sent.slice();
  const at = cells.findIndex((value, index) => index % 2 === 0 && value !== 0);
  if (at < 0 || at + 2 >= cells.length) return cells;
  cells[at]! -= 1;
  cells[at + 2]! += 1;
  return cells;
}

function repeatLast(): (cells: Float64Array) => void {
  const last = new Map<number, Float64Array>();
  return (cells) => {
    const before = last.get(cells.length);
    last.set(cells.length, cells.slice());
    if (before) cells.set(before);
  };
}

/** A message of best splits without any; others as they are. */
function withoutSplits(bytes: Uint8Array, maxBytes: number): Uint8Array {
  for (let nodes = 1; mostSplitBytes(nodes) <= maxBytes; nodes += 1) {
    if (mostSplitBytes(nodes) !== maxBytes) continue;
    try {
      const { root, candidates } = decodeSplits(bytes, nodes, 4096, false);
      return encodeSplits({ root, candidates: candidates.map(() => undefined) });
    } catch {
      return bytes;
    }
  }
  return bytes;
}
