// Grows one tree, level by level, the same bits at every member of the group: histograms of the smaller child of each
// pair are reduced by blocks of features, each owner finds the best splits of its block, the winners are exchanged, and
// the larger sibling's histogram is the parent's less the smaller one's.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { SplitCandidate } from '../../kernels/gbdt/splitCandidate.ts';
import type { NodeSplit, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { readFromPeer } from '../../shared/collective/peerMessage.ts';
import { featureBounds, slotBounds } from '../../shared/gbdt/featureBounds.ts';
import { FeatureSampling } from '../../shared/gbdt/featureSampling.ts';
import { isSubtracted } from '../../shared/gbdt/histogramSteps.ts';
import type { NodeSums, OpenNode } from '../../shared/gbdt/split.ts';
import { betterSplit, joinedSums } from '../../shared/gbdt/split.ts';
import { decodeSplits, encodeSplits, mostSplitBytes } from '../../shared/gbdt/splitCodec.ts';
import type { SplitMessage } from '../../shared/gbdt/splitCodec.ts';
import { SplitScore, UNBOUNDED, isWorthwhile, childBounds } from '../../shared/gbdt/splitScore.ts';
import type { WeightBounds } from '../../shared/gbdt/splitScore.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { BlockLayout } from './blockHistograms.ts';
import { blockHistograms } from './blockHistograms.ts';
import type { RoundTrace } from './roundTrace.ts';
import {
  agreedRoot,
  checkExact,
  checkOwnSplits,
  checkSplits,
  checkWhole,
  differingRoots,
} from './checkSplits.ts';
import { searchSplits } from './searchSplits.ts';
import { TreeBuilder } from './treeBuilder.ts';

export interface TrainingGroup {
  readonly device: TreeDevice;
  readonly collective: Collective;
  readonly spec: TrainSpec;
  readonly signal?: AbortSignal;
  /** How long to wait for any one peer in a collective. */
  readonly timeoutMs?: number;
  /** Where the work of strangers is checked: keeps what this member sums up. */
  readonly trace?: RoundTrace | undefined;
}

interface FrontierNode extends OpenNode {
  readonly id: number;
  readonly histogram: NodeHistogram;
}

/** Over this member's block of features. */
interface NodeHistogram {
  readonly sums: Float64Array;
  /** Low limbs, where the run's sums are wide. */
  readonly low: Float64Array | undefined;
}

interface PendingNode extends NodeSums {
  readonly id: number;
  readonly bounds: WeightBounds;
  /** Bounds of the parent, which rule the node's own gain as in XGBoost. */
  readonly parentBounds: WeightBounds;
}

interface Pair {
  readonly parent: FrontierNode;
  readonly left: PendingNode;
  readonly right: PendingNode;
}

/**
 * Grows the tree of `output` in `round` from the margins as the device holds them.
 * Leaves all rows of training blocks at their leaves; margins are untouched.
 * @throws AbortedError, DeadlineError or PeerLostError of the collective, SumsInexactError when margins have run away.
 */
export async function growTree(group: TrainingGroup, round: number, output: number): Promise<BinnedTree> {
  return new TreeGrowth(group, round, output).grow();
}

class TreeGrowth {
  readonly #group: TrainingGroup;
  readonly #score: SplitScore;
  readonly #sampling: FeatureSampling;
  readonly #layout: BlockLayout;
  /** Member r searches the features [bounds[r], bounds[r+1]). */
  readonly #featureBounds: readonly number[];
  readonly #output: number;
  readonly #firstFeature: number;
  readonly #endFeature: number;
  readonly #builder = new TreeBuilder();

  constructor(group: TrainingGroup, round: number, output: number) {
    const { spec, collective, device } = group;
    this.#group = group;
    this.#output = output;
    this.#score = new SplitScore(spec);
    const tree = round * spec.device.outputs + output;
    this.#sampling = new FeatureSampling(spec.params, tree, spec.features.length);
    const slots = spec.device.slotsPerFeature;
    const bounds = featureBounds(slots, collective.size);
    const blocks = slotBounds(slots, collective.size);
    this.#layout = { slots: blocks[collective.size]!, slotBounds: blocks };
    this.#featureBounds = bounds;
    this.#firstFeature = bounds[collective.rank]!;
    this.#endFeature = bounds[collective.rank + 1]!;
    device.beginTree(round, output);
  }

  async grow(): Promise<BinnedTree> {
    const { spec, device } = this.#group;
    let { frontier, splits } = await this.#growRoot();
    for (let depth = 1; ; depth += 1) {
      const pairs: Pair[] = [];
      frontier.forEach((node, i) => {
        const split = splits[i];
        if (split !== undefined && this.#worthwhile(split)) pairs.push(this.#split(node, split));
      });
      if (pairs.length === 0) break;
      device.applySplits(pairs.map(({ parent, left }) => this.#nodeSplit(parent.id, left.id)));
      if (depth === spec.params.max_depth) break;
      frontier = await this.#openNodes(pairs);
      if (frontier.length === 0) break;
      splits = (await this.#exchangeBest(frontier, depth, undefined)).splits;
    }
    return this.#builder.build(spec.device.marginFractionBits);
  }

  readonly #chosen = new Map<number, SplitCandidate>();

  async #growRoot(): Promise<{
    frontier: FrontierNode[];
    splits: (SplitCandidate | undefined)[];
  }> {
    const histogram = (await this.#histograms([0]))[0]!;
    const owned = this.#endFeature > this.#firstFeature ? this.#sumFirstFeature(histogram) : undefined;
    // Without a feature of its own a member learns the root's sums from the others, and has nothing to search.
    const root =
      owned === undefined
        ? undefined
        : this.#open({ id: 0, ...owned, bounds: UNBOUNDED, parentBounds: UNBOUNDED }, histogram);
    const { splits, root: agreed } = await this.#exchangeBest(root === undefined ? [] : [root], 0, owned);
    this.#check(() => checkExact([agreed.g], this.#group.spec, this.#group.collective));
    const { g, h } = joinedSums(agreed);
    const frontier =
      root ?? this.#open({ id: 0, ...agreed, bounds: UNBOUNDED, parentBounds: UNBOUNDED }, histogram);
    this.#builder.add(-1, this.#leafValue(this.#score.weight(g, h, UNBOUNDED)), this.#score.cover(h));
    return { frontier: [frontier], splits };
  }

  #sumFirstFeature({ sums, low }: NodeHistogram): NodeSums {
    const slots = this.#group.spec.device.slotsPerFeature[this.#firstFeature]!;
    const sum = (limb: Float64Array): { g: number; h: number } => {
      let g = 0;
      let h = 0;
      for (let slot = 0; slot < slots; slot += 1) {
        g += limb[2 * slot]!;
        h += limb[2 * slot + 1]!;
      }
      this.#check(() => checkWhole([g, h], this.#group.collective));
      return { g, h };
    };
    return { ...sum(sums), ...(low && { low: sum(low) }) };
  }

  async #histograms(nodes: readonly number[]): Promise<NodeHistogram[]> {
    const { spec, trace } = this.#group;
    const traced = trace && { trace, output: this.#output };
    const sum = (limb: 'high' | 'low'): Promise<Float64Array[]> =>
      blockHistograms(this.#group, this.#layout, nodes, this.#options(), limb, traced);
    const high = await sum('high');
    const low = spec.device.isWide === true ? await sum('low') : undefined;
    return high.map((sums, i) => ({ sums, low: low?.[i] }));
  }

  #options(): CollectiveOptions {
    const { signal, timeoutMs } = this.#group;
    return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
  }

  /** Histograms of the new level's nodes, but of those that are too light for children. */
  async #openNodes(all: readonly Pair[]): Promise<FrontierNode[]> {
    const children = all.flatMap(({ left, right }) => [left.g, right.g]);
    checkExact(children, this.#group.spec, this.#group.collective);
    const isOpen = (node: PendingNode): boolean => this.#score.maySplit(joinedSums(node).h);
    const pairs = all.filter(({ left, right }) => isOpen(left) || isOpen(right));
    const isWide = this.#group.spec.device.isWide === true;
    if (!isSubtracted(pairs.length, this.#layout.slots, isWide)) {
      const nodes = pairs.flatMap(({ left, right }) => [left, right]).filter(isOpen);
      const sums = await this.#histograms(nodes.map(({ id }) => id));
      return nodes.map((node, i) => this.#open(node, sums[i]!));
    }
    const leftIsSmaller = ({ left, right }: Pair): boolean => joinedSums(left).h <= joinedSums(right).h;
    const built = await this.#histograms(
      pairs.map((pair) => (leftIsSmaller(pair) ? pair.left.id : pair.right.id)),
    );
    return pairs.flatMap((pair, i) => {
      const smaller = built[i]!;
      // The parent is done with: its array becomes the larger child's.
      const larger = pair.parent.histogram;
      subtractFrom(larger.sums, smaller.sums);
      if (larger.low && smaller.low) subtractFrom(larger.low, smaller.low);
      const [left, right] = leftIsSmaller(pair) ? [smaller, larger] : [larger, smaller];
      const opened: FrontierNode[] = [];
      if (isOpen(pair.left)) opened.push(this.#open(pair.left, left));
      if (isOpen(pair.right)) opened.push(this.#open(pair.right, right));
      return opened;
    });
  }

  #open({ id, bounds, parentBounds, ...sums }: PendingNode, histogram: NodeHistogram): FrontierNode {
    const { g, h } = joinedSums(sums);
    const gain = this.#score.gain(g, h, this.#score.weight(g, h, parentBounds));
    return { id, ...sums, bounds, gain, histogram };
  }

  /** Best splits over all features: each member searches its own, then all compare. */
  async #exchangeBest(
    nodes: readonly FrontierNode[],
    depth: number,
    root: SplitMessage['root'],
  ): Promise<{
    splits: (SplitCandidate | undefined)[];
    root: NodeSums;
  }> {
    const { spec, collective, device } = this.#group;
    const block = {
      first: this.#firstFeature,
      end: this.#endFeature,
      spec,
      score: this.#score,
    };
    const own = searchSplits(device.splitSearch, block, nodes, ({ id }) => this.#sampling.forNode(depth, id));
    const count = depth === 0 ? 1 : nodes.length;
    const message: SplitMessage = { root, candidates: own.length === count ? own : [undefined] };
    if (collective.size === 1) return { splits: own, root: root ?? { g: 0, h: 0 } };
    this.#check(() => checkOwnSplits(own, spec, collective));
    const gathered = await collective.allGather(encodeSplits(message), {
      ...this.#options(),
      maxBytes: mostSplitBytes(count),
    });
    const messages = this.#readAll(gathered, nodes, depth);
    if (messages === 'refused') return this.#withoutSplits(count);
    const splits = Array.from({ length: count }, (_, i) =>
      messages.map(({ candidates }) => candidates[i]).reduce(betterSplit, undefined),
    );
    return { splits, root: depth === 0 ? agreedRoot(messages, collective) : { g: 0, h: 0 } };
  }

  /**
   * Where the work is checked, sums that can not be end no round: the tree grows no further, at all members alike, and it is
   * found out who made them.
   */
  #check(check: () => void): void {
    try {
      check();
    } catch (error) {
      const { trace, collective } = this.#group;
      if (!trace || collective.size === 1) throw error;
      trace.refuse(collective.members.keys());
    }
  }

  #readAll(
    gathered: readonly Uint8Array[],
    nodes: readonly FrontierNode[],
    depth: number,
  ): SplitMessage[] | 'refused' {
    const { collective, trace } = this.#group;
    if (!trace) {
      return gathered.map((bytes, rank) =>
        readFromPeer(collective, rank, () => this.#readSplits(bytes, rank, nodes, depth)),
      );
    }
    const refused = new Set<number>();
    const messages = gathered.flatMap((bytes, rank) => {
      try {
        return [this.#readSplits(bytes, rank, nodes, depth)];
      } catch {
        refused.add(rank);
        return [];
      }
    });
    const roots = depth === 0 && refused.size === 0 ? differingRoots(messages) : undefined;
    if (roots) trace.refuseRoots(this.#output, roots);
    else if (refused.size === 0) return messages;
    trace.refuse(refused);
    return 'refused';
  }

  /** The root's sums are of no matter then: the round is not recorded. */
  #withoutSplits(count: number): { splits: (SplitCandidate | undefined)[]; root: NodeSums } {
    const low = this.#group.spec.device.isWide === true && { low: { g: 0, h: 0 } };
    return { splits: Array.from({ length: count }, () => undefined), root: { g: 0, h: 0, ...low } };
  }

  #readSplits(bytes: Uint8Array, rank: number, nodes: readonly FrontierNode[], depth: number): SplitMessage {
    const { spec } = this.#group;
    const { isWide } = spec.device;
    const message = decodeSplits(bytes, depth === 0 ? 1 : nodes.length, spec.features.length, isWide);
    const [first, end] = [this.#featureBounds[rank]!, this.#featureBounds[rank + 1]!];
    checkSplits(message, { first, end, spec, score: this.#score, nodes, isRoot: depth === 0 });
    return message;
  }

  #worthwhile({ gain }: SplitCandidate): boolean {
    return isWorthwhile(gain, this.#group.spec.params);
  }

  #split(parent: FrontierNode, split: SplitCandidate): Pair {
    const { leftG, leftH, rightG, rightH, low } = split;
    const leftSums: NodeSums = { g: leftG, h: leftH, ...(low && { low: { g: low.leftG, h: low.leftH } }) };
    const rightSums: NodeSums = {
      g: rightG,
      h: rightH,
      ...(low && { low: { g: low.rightG, h: low.rightH } }),
    };
    const [ofLeft, ofRight] = [joinedSums(leftSums), joinedSums(rightSums)];
    const leftWeight = this.#score.weight(ofLeft.g, ofLeft.h, parent.bounds);
    const rightWeight = this.#score.weight(ofRight.g, ofRight.h, parent.bounds);
    const monotone = this.#group.spec.features[split.feature]!.monotone;
    const bounds = childBounds(parent.bounds, leftWeight, rightWeight, monotone);
    const left = this.#builder.add(parent.id, this.#leafValue(leftWeight), this.#score.cover(ofLeft.h));
    const right = this.#builder.add(parent.id, this.#leafValue(rightWeight), this.#score.cover(ofRight.h));
    this.#builder.split(parent.id, split, left);
    this.#chosen.set(parent.id, split);
    const parentBounds = parent.bounds;
    return {
      parent,
      left: { id: left, ...leftSums, bounds: bounds.left, parentBounds },
      right: { id: right, ...rightSums, bounds: bounds.right, parentBounds },
    };
  }

  #leafValue(weight: number): number {
    // Adding zero turns -0, which JSON would lose, into 0.
    return Math.fround(weight * this.#group.spec.params.eta) + 0;
  }

  #nodeSplit(node: number, left: number): NodeSplit {
    const { feature, splitBin, categories, missingGoesLeft } = this.#chosen.get(node)!;
    const split = { node, left, right: left + 1, feature, splitBin, missingGoesLeft };
    return categories === undefined ? split : { ...split, categories };
  }
}

function subtractFrom(larger: Float64Array, smaller: Float64Array): void {
  for (let k = 0; k < larger.length; k += 1) larger[k]! -= smaller[k]!;
}
