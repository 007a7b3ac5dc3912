// Rounds of a run once more over all its training rows: what each member must have summed up, in fingerprints, and whether the
// trees follow from the rows.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { buildGradientTables } from '../../../kernels/gbdt/gradients.ts';
import { slotBounds } from '../featureBounds.ts';
import type { MetricBlock } from '../metric/metric.ts';
import type { ShardRows } from '../shardCodec.ts';
import { stepsOfTree, type HistogramStep } from '../histogramSteps.ts';
import { SplitScore } from '../splitScore.ts';
import type { TrainSpec } from '../trainSpec.ts';
import { checkKey, nodeWeights, type CheckKey, type CheckVector, type Fingerprint } from './checkKey.ts';
import { multiply, reduce } from './modular.ts';
import { findHidden, pickNode, type HiddenSplit, type PickedNode } from './pickedSplit.ts';
import { ReplayedMetrics } from './replayedMetrics.ts';
import { rootText } from './rootText.ts';
import { addUpwards, emptyReplay, ShardReplay, type ReplayedTree } from './shardReplay.ts';
import { sumsOfNode, verifyTree, type FalseValue } from './verifyTree.ts';

export interface RoundToCheck {
  readonly trees: readonly BinnedTree[];
  /** What members say that they summed: for rounds of which it does not follow from the trees and the rows. */
  readonly toldSteps?: readonly HistogramStep[] | undefined;
}

export interface MemberToCheck {
  /** Names of its shards of the training set. */
  readonly shards: readonly string[];
  /** By rank: what the fingerprint of the part of each is multiplied by; zero leaves a part out. */
  readonly partWeights: readonly number[];
}

export interface ReplayTask {
  readonly seed: string;
  readonly firstRound: number;
  readonly rounds: readonly RoundToCheck[];
  readonly members: readonly MemberToCheck[];
  /** Names of the shards of each evaluation set. */
  readonly evaluated: Readonly<Record<string, readonly string[]>>;
}

export interface ReplayedRound {
  /** Histograms in the order in which members sum them. */
  readonly steps: readonly HistogramStep[];
  /**
   * The steps follow from the trees and the rows: no member could have summed others. Not where values are false, nor where the owner's
   * loop may have chosen another depth for the round.
   */
  readonly areStepsCertain: boolean;
  /** Of each tree the sums of its root (rootText). */
  readonly roots: readonly string[];
  /** By member: of all steps, parts by their weights. */
  readonly members: readonly Fingerprint[];
  /** By member and step. */
  readonly ofSteps: readonly (readonly Fingerprint[])[];
  readonly falseValue: (FalseValue & { readonly tree: number }) | undefined;
  /** Of the node that was looked at, where its split is not the best one. */
  readonly hidden: HiddenSplit | undefined;
  readonly metrics: Readonly<Record<string, number>>;
}

export class RunReplay {
  readonly #spec: TrainSpec;
  readonly #tables = buildGradientTables();
  readonly #shards = new Map<string, ShardReplay>();
  readonly #score: SplitScore;
  readonly #slots: number;

  constructor(spec: TrainSpec) {
    this.#spec = spec;
    this.#score = new SplitScore(spec);
    this.#slots = spec.device.slotsPerFeature.reduce((sum, count) => sum + count, 0);
  }

  /** @throws InvalidBlockError when the rows do not fit the spec. */
  add(name: string, shard: ShardRows): void {
    this.#shards.set(name, new ShardReplay(this.#spec, shard, this.#tables));
  }

  has(name: string): boolean {
    return this.#shards.has(name);
  }

  /** Takes margins over rounds that are known to be right. */
  follow(rounds: readonly (readonly BinnedTree[])[]): void {
    for (const shard of this.#shards.values()) for (const trees of rounds) shard.follow(trees);
  }

  /** Margins are those before the last `check` again. */
  restore(): void {
    for (const shard of this.#shards.values()) shard.restore();
  }

  check(task: ReplayTask): ReplayedRound[] {
    const { seed, firstRound, rounds, members } = task;
    const key = checkKey(seed, this.#slots);
    const picked = rounds.map(({ trees }, i) => pickNode(key, firstRound + i, trees, this.#spec));
    const metrics = this.#openMetrics(task);
    const totals = rounds.map(({ trees }) =>
      trees.map((tree) => emptyReplay(this.#spec.device, tree.left.length, 0)),
    );
    const ofMembers = members.map((member) => {
      const vectors = partVectors(key, this.#spec, member.partWeights);
      const replayed = this.#replayMember(member, firstRound, rounds, vectors, picked, metrics);
      replayed.forEach((trees, i) =>
        trees.forEach((tree, output) => {
          addUpwards(tree, rounds[i]!.trees[output]!, vectors);
          addSums(totals[i]![output]!, tree);
        }),
      );
      return replayed;
    });
    this.#evaluateOthers(task, metrics);
    return rounds.map(({ trees, toldSteps }, i) => {
      const found = this.#verify(firstRound + i, trees, totals[i]!, picked[i]);
      const areStepsCertain = !found.falseValue && !this.#spec.trainLoop;
      const told = areStepsCertain || !toldSteps || !fits(toldSteps, totals[i]!) ? undefined : toldSteps;
      const steps = told ?? this.#stepsOf(trees, totals[i]!);
      const ofSteps = ofMembers.map((perRound) => stepPrints(key, firstRound + i, steps, perRound[i]!));
      return {
        steps,
        areStepsCertain,
        roots: totals[i]!.map(({ sums }) => rootText(sumsOfNode(sums, 0))),
        members: ofSteps.map((prints) => sumOf(key, prints)),
        ofSteps,
        ...found,
        metrics: metrics.of(i),
      };
    });
  }

  #stepsOf(trees: readonly BinnedTree[], totals: readonly ReplayedTree[]): HistogramStep[] {
    return trees.flatMap((tree, output) =>
      stepsOfTree(output, tree, totals[output]!.sums, this.#spec, this.#score),
    );
  }

  #replayMember(
    { shards }: MemberToCheck,
    firstRound: number,
    rounds: readonly RoundToCheck[],
    vectors: readonly CheckVector[],
    picked: readonly (PickedNode | undefined)[],
    metrics: ReplayedMetrics,
  ): ReplayedTree[][] {
    const { device, firstRound: earlier = 0 } = this.#spec;
    const isMeasured = this.#spec.evaluationSets.includes('train');
    const into = rounds.map(({ trees }) =>
      trees.map((tree) => emptyReplay(device, tree.left.length, vectors.length)),
    );
    for (const name of shards) {
      const shard = this.#shard(name);
      shard.remember();
      shard.weigh(vectors);
      for (const [i, { trees }] of rounds.entries()) {
        shard.replay(earlier + firstRound + i, trees, into[i]!, vectors, picked[i]);
        if (isMeasured) metrics.add(i, 'train', shard.metricBlock());
      }
    }
    return into;
  }

  #shard(name: string): ShardReplay {
    const shard = this.#shards.get(name);
    if (!shard) throw new RangeError(`shard ${name} is not loaded`);
    return shard;
  }

  #openMetrics({ rounds, members, evaluated }: ReplayTask): ReplayedMetrics {
    const train = members.flatMap(({ shards }) => shards);
    const named = this.#spec.evaluationSets.map((dataset): [string, MetricBlock[]] => [
      dataset,
      (dataset === 'train' ? train : (evaluated[dataset] ?? [])).map((name) =>
        this.#shard(name).metricBlock(),
      ),
    ]);
    return new ReplayedMetrics(this.#spec, rounds.length, new Map(named));
  }

  /** Rows that nobody trains on. */
  #evaluateOthers({ rounds, evaluated }: ReplayTask, metrics: ReplayedMetrics): void {
    for (const dataset of this.#spec.evaluationSets) {
      if (dataset === 'train') continue;
      for (const name of evaluated[dataset] ?? []) {
        const shard = this.#shard(name);
        shard.remember();
        for (const [i, { trees }] of rounds.entries()) {
          shard.follow(trees);
          metrics.add(i, dataset, shard.metricBlock());
        }
      }
    }
  }

  #verify(
    round: number,
    trees: readonly BinnedTree[],
    totals: readonly ReplayedTree[],
    picked: PickedNode | undefined,
  ): Pick<ReplayedRound, 'falseValue' | 'hidden'> {
    // What the owner's loop chose for a round is known to the members alone.
    if (this.#spec.trainLoop) return { falseValue: undefined, hidden: undefined };
    const verified = trees.map((tree, i) => verifyTree(tree, totals[i]!.sums, this.#spec, this.#score));
    const wrong = verified.findIndex(({ falseValue }) => falseValue);
    if (wrong >= 0)
      return { falseValue: { ...verified[wrong]!.falseValue!, tree: wrong }, hidden: undefined };
    const { firstRound: earlier = 0 } = this.#spec;
    if (!picked) return { falseValue: undefined, hidden: undefined };
    const { nodes } = verified[picked.output]!;
    const known = { sums: totals[picked.output]!.sums, nodes };
    const tree = trees[picked.output]!;
    return {
      falseValue: undefined,
      hidden: findHidden(picked, earlier + round, tree, known, this.#spec, this.#score),
    };
  }
}

/** The key's vectors, the slots of each part multiplied by its weight. */
function partVectors(
  { vectors }: CheckKey,
  { device }: TrainSpec,
  partWeights: readonly number[],
): CheckVector[] {
  const bounds = slotBounds(device.slotsPerFeature, partWeights.length);
  return vectors.map(({ modulus, slots, hessian }) => {
    const weighed = slots.slice();
    partWeights.forEach((weight, part) => {
      for (let slot = bounds[part]!; slot < bounds[part + 1]!; slot += 1)
        weighed[slot] = multiply(slots[slot]!, weight, modulus);
    });
    return { modulus, hessian, slots: weighed };
  });
}

function addSums(into: ReplayedTree, from: ReplayedTree): void {
  from.sums.forEach((limb, i) => {
    for (let at = 0; at < limb.length; at += 1) into.sums[i]![at]! += limb[at]!;
  });
}

/** Whether there are such trees, limbs and nodes: members can say anything. */
function fits(steps: readonly HistogramStep[], trees: readonly ReplayedTree[]): boolean {
  return steps.every(({ output, limb, nodes }) => {
    const sums = trees[output]?.sums[limb === 'high' ? 0 : 1];
    return sums !== undefined && nodes.every((node) => 2 * node < sums.length);
  });
}

/** Of each step: the nodes that were built, each by its weight. */
function stepPrints(
  key: CheckKey,
  round: number,
  steps: readonly HistogramStep[],
  trees: readonly ReplayedTree[],
): Fingerprint[] {
  const weight = nodeWeights(key, round);
  return steps.map(({ output, limb, nodes }) => {
    const prints = trees[output]!.prints[limb === 'high' ? 0 : 1]!;
    const weights = nodes.map(weight);
    return key.vectors.map(({ modulus }, i) =>
      nodes.reduce(
        (sum, node, at) => reduce(sum + multiply(prints[i]![node]!, weights[at]!, modulus), modulus),
        0,
      ),
    );
  });
}

function sumOf({ vectors }: CheckKey, prints: readonly Fingerprint[]): Fingerprint {
  return vectors.map(({ modulus }, i) => prints.reduce((sum, print) => reduce(sum + print[i]!, modulus), 0));
}
