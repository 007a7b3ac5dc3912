// What a worker holds of one run: the device, the blocks it leases and the rounds it has committed. Blocks move in and
// out as the coordinator re-plans; their margins are always brought to the same committed round.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { LoadedBlock, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { AbortedError } from '../../kernels/errors.ts';
import { binnedBlock } from '../../shared/gbdt/binnedBlock.ts';
import { decodeShard } from '../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { SessionEnvironment } from '../memberRun/sessionEnvironment.ts';

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
}

const leaseKey = (lease: Lease): string => `${lease.dataset}/${lease.index}/${lease.sha256}`;

export class RunData {
  readonly runId: string;
  readonly spec: TrainSpec;
  readonly device: TreeDevice;
  /** Committed rounds, first to last. */
  readonly committed: KnownRound[] = [];
  readonly #environment: SessionEnvironment;
  readonly #held = new Map<string, HeldBlock>();
  /** Rounds that the group agreed on when this worker last caught up. */
  #agreedRounds = 0;
  /** Why the device was lost, once it is. */
  lostReason: string | undefined;

  constructor(runId: string, spec: TrainSpec, device: TreeDevice, environment: SessionEnvironment) {
    this.runId = runId;
    this.spec = spec;
    this.device = device;
    this.#environment = environment;
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

  /** Datasets of which something is held. */
  get datasetNames(): readonly string[] {
    return [...new Set([...this.#held.values()].map(({ lease }) => lease.dataset))];
  }

  get rows(): number {
    return this.leases.reduce((rows, lease) => rows + lease.rows, 0);
  }

  /**
   * Holds exactly `leases`: frees what is not in them, fetches what is missing.
   * @param onRows called with the rows held so far.
   */
  async hold(leases: readonly Lease[], signal: AbortSignal, onRows: (rows: number) => void): Promise<void> {
    const wanted = new Map(leases.map((lease) => [leaseKey(lease), lease]));
    for (const [key, held] of this.#held) {
      held.isShared = false;
      if (wanted.has(key)) continue;
      this.device.unload(held.block);
      this.#held.delete(key);
    }
    onRows(this.rows);
    for (const [key, lease] of wanted) {
      if (this.#held.has(key)) continue;
      await this.#add(key, lease, false, signal);
      onRows(this.rows);
    }
  }

  /** Holds what other members lease too, until `hold` is called again, and brings it to the committed rounds. */
  async holdShared(leases: readonly Lease[], signal: AbortSignal): Promise<void> {
    for (const lease of leases) {
      const key = leaseKey(lease);
      if (!this.#held.has(key)) await this.#add(key, lease, true, signal);
    }
    await this.catchUp(signal);
  }

  async #add(key: string, lease: Lease, isShared: boolean, signal: AbortSignal): Promise<void> {
    this.#held.set(key, { lease, ...(await this.#load(lease, signal)), rounds: 0, isShared });
  }

  /**
   * Drops committed rounds that the group may have done anew without this worker: all beyond `committedRounds`, and
   * beyond those known to be the record's (by the last catch-up, or by the coordinator's word).
   */
  forgetBeyond(committedRounds: number, agreedRounds: number): void {
    const kept = Math.min(committedRounds, Math.max(this.#agreedRounds, agreedRounds), this.committed.length);
    this.committed.length = kept;
    for (const held of this.#held.values()) held.isDoubtful ||= held.rounds > kept;
  }

  /**
   * Brings every block's margins to the committed rounds. A block that is ahead (its round was given up by the group)
   * is loaded afresh: margins are clamped sums and can't be taken back.
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    const target = this.committed.length;
    for (const [key, held] of this.#held) {
      if (held.rounds <= target && !held.isDoubtful) continue;
      this.device.unload(held.block);
      await this.#add(key, held.lease, held.isShared, signal);
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

  async #load(lease: Lease, signal: AbortSignal): Promise<HeldRows> {
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
    const block = binnedBlock(shard, this.spec);
    const loaded = await this.device.load(block, lease.dataset === 'train' ? 'train' : 'evaluate');
    return { block: loaded, labels: shard.labels, weights: shard.weights };
  }

  async close(): Promise<void> {
    this.#held.clear();
    await this.device.close();
  }
}
