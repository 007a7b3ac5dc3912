// Checks rounds of trees: has them done once more from the training rows (shared/gbdt/check), and judges what members told.

import { randomInt } from 'node:crypto';
import { TabgradError } from '../../../kernels/errors.ts';
import { checkKey, WEIGHT_BITS } from '../../../shared/gbdt/check/checkKey.ts';
import type { ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import { featureBounds } from '../../../shared/gbdt/featureBounds.ts';
import type { HistogramStep } from '../../../shared/gbdt/histogramSteps.ts';
import type { EncodedTree } from '../../../shared/gbdt/treeCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { Lease } from '../../../shared/protocol/control.ts';
import { judgeRound } from './judgeRound.ts';
import type { AuditedMember, AuditTask, Fault, RoundAuditor, Verdict } from './roundAudit.ts';

/** A member as its rounds are done once more. */
interface ReplayedMember {
  readonly shards: readonly string[];
  readonly partWeights: readonly number[];
}

/** Encoded trees, as they are recorded. */
export interface EncodedTask {
  readonly seed: string;
  readonly firstRound: number;
  readonly rounds: readonly {
    readonly trees: readonly unknown[];
    readonly toldSteps?: readonly HistogramStep[] | undefined;
  }[];
  readonly members: readonly ReplayedMember[];
  readonly evaluated: Readonly<Record<string, readonly string[]>>;
}

/** Does rounds once more: a thread of the coordinator, or the same in this one for tests. */
export interface Replayer {
  has(shard: string): boolean;
  add(shard: string, bytes: Uint8Array): Promise<void>;
  follow(rounds: readonly (readonly unknown[])[]): Promise<void>;
  /** Margins as before the last `check`. */
  restore(): Promise<void>;
  check(task: EncodedTask): Promise<ReplayedRound[]>;
  close(): Promise<void>;
}

export interface TreeAuditorOptions {
  readonly spec: TrainSpec;
  readonly replayer: Replayer;
  /** The bytes of a shard. */
  readonly readShard: (sha256: string) => Promise<Uint8Array>;
}

export class TreeAuditor implements RoundAuditor {
  readonly #options: TreeAuditorOptions;
  /** Rounds that the margins include. */
  #position = 0;

  constructor(options: TreeAuditorOptions) {
    this.#options = options;
  }

  async audit(
    task: AuditTask,
    recorded: (fromRound: number) => readonly (readonly unknown[])[],
  ): Promise<Verdict> {
    const { replayer } = this.#options;
    await this.#load(task.members);
    if (this.#position < task.firstRound) await replayer.follow(recorded(this.#position));
    this.#position = task.firstRound;
    const partWeights = drawPartWeights(task.members);
    const replayed = await replayer.check(this.#encoded(task, partWeights));
    const verdict = this.#judge(task, replayed, partWeights);
    const { rightRounds, faults } = verdict;
    this.#position += rightRounds;
    if (faults.length === 0) return verdict;
    await replayer.restore();
    const named = await this.#nameLevels(task, faults);
    await replayer.restore();
    await replayer.follow(task.rounds.slice(0, rightRounds));
    return { ...verdict, faults: named };
  }

  close(): Promise<void> {
    return this.#options.replayer.close();
  }

  async #load(members: readonly AuditedMember[]): Promise<void> {
    const { replayer, readShard, spec } = this.#options;
    for (const { leases } of members) {
      for (const { dataset, index, sha256 } of leases) {
        const name = shardName(dataset, index);
        const isNeeded = dataset === 'train' || spec.evaluationSets.includes(dataset);
        if (!isNeeded || replayer.has(name)) continue;
        if (this.#position > 0) throw new MissingShardError(`shard ${name} came later`);
        await replayer.add(name, await readShard(sha256));
      }
    }
  }

  #encoded({ seed, firstRound, rounds, members }: AuditTask, partWeights: readonly number[][]): EncodedTask {
    return {
      seed,
      firstRound,
      rounds: rounds.map((trees, at) => ({ trees, toldSteps: toldSteps(members, at) })),
      members: members.map(({ leases }, rank) => ({
        shards: shardsOf(leases, 'train'),
        partWeights: partWeights[rank]!,
      })),
      evaluated: Object.fromEntries(
        this.#options.spec.evaluationSets.map((dataset) => [
          dataset,
          members.flatMap(({ leases }) => shardsOf(leases, dataset)),
        ]),
      ),
    };
  }

  #judge(task: AuditTask, replayed: readonly ReplayedRound[], partWeights: readonly number[][]): Verdict {
    const { members, firstRound, seed } = task;
    const { slotsPerFeature } = this.#options.spec.device;
    const slots = slotsPerFeature.reduce((sum, count) => sum + count, 0);
    const bounds = featureBounds(slotsPerFeature, members.length);
    for (const [at, ofRound] of replayed.entries()) {
      const faults = judgeRound({
        round: firstRound + at,
        members,
        told: members.map(({ told }) => told?.[at]),
        replayed: ofRound,
        key: checkKey(seed, slots),
        partWeights,
        searcherOf: (feature) => bounds.findLastIndex((bound) => bound <= feature),
      });
      if (faults.length > 0) return verdictOf(replayed.slice(0, at), faults);
    }
    return verdictOf(replayed, []);
  }

  /** The level of a tree at which a member's sums are false first: from the fingerprints of each step, all parts alike. */
  async #nameLevels(task: AuditTask, faults: readonly Fault[]): Promise<readonly Fault[]> {
    const wrong = faults.filter((fault) => fault.kind === 'lie' && fault.evidence.claimed !== undefined);
    if (wrong.length === 0) return faults;
    const even = task.members.map(() => task.members.map(() => 1));
    const replayed = await this.#options.replayer.check(this.#encoded(task, even));
    return faults.map((fault): Fault => {
      if (fault.kind !== 'lie') return fault;
      const { round } = fault.evidence;
      const at = (round ?? 0) - task.firstRound;
      const rank = task.members.findIndex(({ workerId }) => workerId === fault.workerId);
      const told = task.members[rank]?.told?.[at];
      const { steps, ofSteps } = replayed[at]!;
      const step = steps.findIndex((_, i) => told?.steps[i]?.sum.join() !== ofSteps[rank]![i]!.join());
      if (!told || step < 0) return fault;
      const level = levelOf(task.rounds[at]![steps[step]!.output], steps[step]!.nodes[0] ?? 0);
      return { ...fault, evidence: { ...fault.evidence, level } };
    });
  }
}

function verdictOf(right: readonly ReplayedRound[], faults: readonly Fault[]): Verdict {
  return { rightRounds: right.length, metrics: right.map(({ metrics }) => metrics), faults };
}

class MissingShardError extends TabgradError {
  readonly code = 'INTERNAL';
}

/** What most members say that they summed; where owner's workers are among them, these. */
function toldSteps(members: readonly AuditedMember[], at: number): readonly HistogramStep[] | undefined {
  const told = members.flatMap(({ told: rounds, isOwners }) => {
    const steps = rounds?.[at]?.steps.map(({ output, limb, nodes }): HistogramStep => ({
      output,
      limb,
      nodes,
    }));
    return steps ? [{ isOwners, steps, text: JSON.stringify(steps) }] : [];
  });
  const believed = told.some(({ isOwners }) => isOwners) ? told.filter(({ isOwners }) => isOwners) : told;
  const votes = (text: string): number => believed.filter((one) => one.text === text).length;
  return believed.find(({ text }) => 2 * votes(text) > believed.length)?.steps;
}

function shardName(dataset: string, index: number): string {
  return `${dataset}/${index}`;
}

function shardsOf(leases: readonly Lease[], wanted: string): string[] {
  return leases.flatMap(({ dataset, index }) => (dataset === wanted ? [shardName(dataset, index)] : []));
}

/** Random by part, so that what is wrong in one can not be made up for in another; of those who are gone nothing is known. */
function drawPartWeights(members: readonly AuditedMember[]): number[][] {
  const weights = members.map(() => randomInt(1, 2 ** WEIGHT_BITS));
  const isGone = members.map(({ told }) => told === undefined);
  return members.map((_, rank) => weights.map((weight, part) => (isGone[rank] && isGone[part] ? 0 : weight)));
}

/** @param tree encoded: children follow their parents, the right ones the left ones. */
function levelOf(tree: unknown, node: number): number {
  const { left = [] } = tree as Partial<EncodedTree>;
  let level = 0;
  for (let at = node; at > 0; level += 1) {
    const parent = left.findIndex((child) => child === at || (child >= 0 && child + 1 === at));
    if (parent < 0) return level;
    at = parent;
  }
  return level;
}
