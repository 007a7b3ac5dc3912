// What a worker holds of one run: the device, the blocks it leases and the rounds it has committed. Blocks move in and
// out as the coordinator re-plans; their margins are always brought to the same committed round.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { LoadedBlock, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { AbortedError } from '../../kernels/errors.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { binnedBlock } from '../../shared/gbdt/binnedBlock.ts';
import { decodeShard } from '../../shared/gbdt/shardCodec.ts';
import type { ShardRows } from '../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { SessionEnvironment } from '../memberRun/sessionEnvironment.ts';
import { leaseKey, SpareRows } from './spareRows.ts';
import type { SpareShard } from './spareRows.ts';

/** One committed round as this worker knows it; metrics are the same at every member. */
export interface KnownRound {
  readonly trees: readonly BinnedTree[];
  readonly metrics: Readonly<Record<string, number>> | undefined;
}

/** A loaded block with what metrics read of it besides its margins. */
export interface HeldRows {
  readonly block: LoadedBlock;
  /** As in MetricBlock. */
  readonly labels: Float32Array;
  readonly weights: Float32Array | undefined;
}

interface HeldBlock extends HeldRows {
  readonly lease: Lease;
  /** Rounds that the margins of this block include. */
  rounds: number;
  /** The margins include a round that was forgotten, or never committed. */
  isDoubtful?: boolean;
  /** Leased by another member, and held here too while its group shares all rows. */
  isShared: boolean;
  /** Kept where it may become a spare when another member leases it. */
  readonly shard: ShardRows | undefined;
}

/** Shards that are on their way at a time: what a request takes before its first byte would add up otherwise. */
const FETCHED_AT_ONCE = 4;
const NOTHING: Promise<never> = new Promise(() => undefined);

/** Rows that are added, and the rounds that their margins include. */
type AddedRows = Pick<HeldBlock, 'lease' | 'isShared'> & Partial<Pick<SpareShard, 'shard' | 'rounds'>>;

export class RunData {
  readonly runId: string;
  readonly spec: TrainSpec;
  readonly device: TreeDevice;
  /** Committed rounds, first to last. */
  readonly committed: KnownRound[] = [];
  readonly #environment: SessionEnvironment;
  readonly #held = new Map<string, HeldBlock>();
  readonly #spares: SpareRows;
  #filling: Promise<void> = Promise.resolve();
  #stopFilling = new AbortController();
  /** Whether leased shards stay in memory beside the device, for the case that they become spares. */
  #keepsShards = false;
  /** Rounds that the group agreed on when this worker last caught up. */
  #agreedRounds = 0;
  /** Why the device was lost, once it is. */
  lostReason: string | undefined;

  constructor(runId: string, spec: TrainSpec, device: TreeDevice, environment: SessionEnvironment) {
    this.runId = runId;
    this.spec = spec;
    this.device = device;
    this.#environment = environment;
    this.#spares = new SpareRows(device, spec, (lease, signal) => this.#fetch(lease, signal));
    void device.lost.then((reason) => (this.lostReason = reason));
  }

  /** What is held of one dataset, by shard index. */
  blocks(dataset: string): HeldRows[] {
    return [...this.#held.values()]
      .filter((held) => held.lease.dataset === dataset)
      .sort((a, b) => a.lease.index - b.lease.index);
  }

  /** Rows of a dataset that this member leases. */
  leasedRows(dataset: string): number {
    return this.leases.reduce((rows, lease) => rows + (lease.dataset === dataset ? lease.rows : 0), 0);
  }

  /** What this member leases; what others do and it holds as well is left out. */
  get leases(): Lease[] {
    return [...this.#held.values()].filter(({ isShared }) => !isShared).map(({ lease }) => lease);
  }

  /** The part of the training set's rows that this member leases, in [0, 1]. */
  get trainShare(): number {
    const leased = this.leases.filter(({ dataset }) => dataset === 'train');
    return leased.reduce((rows, lease) => rows + lease.rows, 0) / Math.max(1, this.spec.trainRows);
  }

  /** Datasets of which something is held. */
  get datasetNames(): readonly string[] {
    return [...new Set([...this.#held.values()].map(({ lease }) => lease.dataset))];
  }

  get rows(): number {
    return this.leases.reduce((rows, lease) => rows + lease.rows, 0);
  }

  /**
   * Holds exactly `leases`: frees what is not in them, fetches what is missing and no spare.
   * @param onRows called with the rows held so far.
   * @param spares shards of others to keep ready from now on; they are fetched by `fillSpares`.
   */
  async hold(
    leases: readonly Lease[],
    signal: AbortSignal,
    onRows: (rows: number) => void,
    spares: readonly Lease[] = [],
  ): Promise<void> {
    // What was under way for the last group ends with it.
    this.#stopFilling.abort();
    await this.#filling;
    this.#keepsShards = spares.length > 0;
    const wanted = new Map(leases.map((lease) => [leaseKey(lease), lease]));
    const taken = await this.#takeSpares(wanted, spares);
    for (const [key, held] of this.#held) {
      held.isShared = false;
      if (wanted.has(key)) continue;
      await this.#makeSpare(held);
      this.device.unload(held.block);
      this.#held.delete(key);
    }
    for (const spare of taken) await this.#add({ ...spare, isShared: false }, signal);
    onRows(this.rows);
    const missing = [...wanted].flatMap(([key, lease]) => (this.#held.has(key) ? [] : [lease]));
    for await (const [lease, shard] of this.#fetchAll(missing, signal)) {
      await this.#add({ lease, shard, isShared: false }, signal);
      onRows(this.rows);
    }
  }

  /** Shards in this order, the next ones being fetched meanwhile. */
  async *#fetchAll(
    leases: readonly Lease[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly [Lease, ShardRows]> {
    const fetching: Promise<ShardRows>[] = [];
    for (const [i, lease] of leases.entries()) {
      while (fetching.length < Math.min(leases.length, i + FETCHED_AT_ONCE)) {
        const shard = this.#fetch(leases[fetching.length]!, signal);
        // A failure is thrown where the block is used; an earlier one may end the loop before that.
        shard.catch(() => undefined);
        fetching.push(shard);
      }
      const shard = await fetching[i]!;
      // It is on the device from now on, or kept there.
      fetching[i] = NOTHING;
      yield [lease, shard];
    }
  }

  async #takeSpares(
    wanted: ReadonlyMap<string, Lease>,
    spares: readonly Lease[],
  ): Promise<readonly SpareShard[]> {
    const taken: SpareShard[] = [];
    for (const [key, lease] of wanted) {
      const spare = this.#held.has(key) ? undefined : await this.#spares.take(lease);
      if (spare) taken.push(spare);
    }
    this.#spares.want(spares);
    return taken;
  }

  /** What goes to another member is kept, where it is one of the spares. */
  async #makeSpare({ lease, block, shard, rounds, isDoubtful = false }: HeldBlock): Promise<void> {
    if (!shard || isDoubtful || !this.#spares.wants(lease)) return;
    const baseMargins = await this.device.readMargins(block);
    this.#spares.add({ lease, shard: { ...shard, baseMargins }, rounds });
  }

  /** Fetches, beside the work, the spares that are missing; what can't be had now is fetched when it is leased. */
  fillSpares(signal: AbortSignal): void {
    this.#stopFilling = new AbortController();
    const until = AbortSignal.any([signal, this.#stopFilling.signal]);
    this.#filling = this.#spares.fill(until).catch((error: unknown) => {
      if (!until.aborted) this.#environment.log(`A spare shard could not be fetched: ${messageOf(error)}`);
    });
  }

  /** Between two rounds: brings the spares nearer to the committed ones. */
  followSpares(): Promise<void> {
    return this.#spares.follow(this.committed, this.rows);
  }

  /** Holds what other members lease too, until `hold` is called again, and brings it to the committed rounds. */
  async holdShared(leases: readonly Lease[], signal: AbortSignal): Promise<void> {
    for (const lease of leases) {
      if (!this.#held.has(leaseKey(lease))) await this.#add({ lease, isShared: true }, signal);
    }
    await this.catchUp(signal);
  }

  async #add({ lease, isShared, shard: known, rounds = 0 }: AddedRows, signal: AbortSignal): Promise<void> {
    const shard = known ?? (await this.#fetch(lease, signal));
    const role = lease.dataset === 'train' ? 'train' : 'evaluate';
    const block = await this.device.load(binnedBlock(shard, this.spec), role);
    const { labels, weights } = shard;
    const kept = this.#keepsShards ? shard : undefined;
    this.#held.set(leaseKey(lease), { lease, block, labels, weights, rounds, isShared, shard: kept });
  }

  /**
   * Drops committed rounds that the group may have done anew without this worker: all beyond `committedRounds`, and
   * beyond those known to be the record's (by the last catch-up, or by the coordinator's word).
   */
  forgetBeyond(committedRounds: number, agreedRounds: number): void {
    const kept = Math.min(committedRounds, Math.max(this.#agreedRounds, agreedRounds), this.committed.length);
    this.committed.length = kept;
    for (const held of this.#held.values()) held.isDoubtful ||= held.rounds > kept;
    this.#spares.forgetBeyond(kept);
  }

  /**
   * Brings every block's margins to the committed rounds. A block that is ahead (its round was given up by the group)
   * is loaded afresh: margins are clamped sums and can't be taken back.
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    const target = this.committed.length;
    for (const { lease, block, isShared, rounds, isDoubtful = false } of this.#held.values()) {
      if (rounds <= target && !isDoubtful) continue;
      this.device.unload(block);
      await this.#add({ lease, isShared }, signal);
    }
    const behind = [...this.#held.values()].filter((held) => held.rounds < target);
    const first = Math.min(target, ...behind.map((held) => held.rounds));
    for (let round = first; round < target; round += 1) {
      if (signal.aborted) throw new AbortedError(`catching up was withdrawn at round ${round}`);
      this.#apply(this.committed[round]!.trees, round, behind);
    }
    this.#agreedRounds = target;
  }

  /** Adds the trees of the round after the committed ones to all margins. The round is not committed by that. */
  applyPending(trees: readonly BinnedTree[]): void {
    this.#apply(trees, this.committed.length, [...this.#held.values()]);
  }

  #apply(trees: readonly BinnedTree[], round: number, held: readonly HeldBlock[]): void {
    const due = held.filter((one) => one.rounds === round);
    this.device.applyTrees(
      due.map((one) => one.block),
      trees,
    );
    for (const one of due) one.rounds = round + 1;
  }

  async #fetch(lease: Lease, signal: AbortSignal): Promise<ShardRows> {
    const bytes = await this.#environment.fetchBlob(lease.sha256, { sizeBytes: lease.sizeBytes, signal });
    const shard = decodeShard(bytes);
    if (shard.rows !== lease.rows || shard.firstRow !== lease.firstRow) {
      throw new BadAssignmentError(
        `shard ${lease.index} of "${lease.dataset}" holds rows ${shard.firstRow}..${shard.firstRow + shard.rows - 1}, ` +
          `the lease says ${lease.firstRow}..${lease.firstRow + lease.rows - 1}`,
      );
    }
    if (shard.bins.length !== this.spec.features.length) {
      throw new BadAssignmentError(
        `shard ${lease.index} of "${lease.dataset}" has ${shard.bins.length} features, the run has ${this.spec.features.length}`,
      );
    }
    return shard;
  }

  async close(): Promise<void> {
    this.#stopFilling.abort();
    this.#held.clear();
    await this.device.close();
  }
}
