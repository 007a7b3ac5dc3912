// Shards of other members that this one would take over, kept ready: fetched beside the work, and their margins follow the
// committed rounds. When a member is lost its rows are at once where they are needed, at the round at which all others are.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { LoadedBlock, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { binnedBlock } from '../../shared/gbdt/binnedBlock.ts';
import type { ShardRows } from '../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import type { Lease } from '../../shared/protocol/control.ts';

/** Shards put on the device after one round: the group waits for that. */
const MOST_LOADS = 2;
/** Rows whose margins go one round on after a round, for each row that is leased: about a tenth of what the round took. */
const MOST_STEPS_PER_ROW = 16;

export interface SpareShard {
  readonly lease: Lease;
  /** Its base margins include `rounds` rounds. */
  readonly shard: ShardRows;
  readonly rounds: number;
}

interface KeptShard {
  readonly lease: Lease;
  readonly shard: ShardRows;
  /** Undefined until it is on the device. */
  block: LoadedBlock | undefined;
  /** Rounds that the margins include. */
  rounds: number;
}

export const leaseKey = (lease: Lease): string => `${lease.dataset}/${lease.index}/${lease.sha256}`;

export class SpareRows {
  readonly #device: TreeDevice;
  readonly #spec: TrainSpec;
  readonly #fetch: (lease: Lease, signal: AbortSignal) => Promise<ShardRows>;
  readonly #kept = new Map<string, KeptShard>();
  #wanted = new Map<string, Lease>();

  /** @param fetch reads a shard, checked against its lease. */
  constructor(
    device: TreeDevice,
    spec: TrainSpec,
    fetch: (lease: Lease, signal: AbortSignal) => Promise<ShardRows>,
  ) {
    this.#device = device;
    this.#spec = spec;
    this.#fetch = fetch;
  }

  /** Shards that are here, whether their margins have caught up or not. */
  get leases(): Lease[] {
    return [...this.#kept.values()].map(({ lease }) => lease);
  }

  wants(lease: Lease): boolean {
    return this.#wanted.has(leaseKey(lease));
  }

  /** Keeps these from now on, and nothing else; what is missing is fetched by `fill`. */
  want(leases: readonly Lease[]): void {
    this.#wanted = new Map(leases.map((lease) => [leaseKey(lease), lease]));
    for (const key of this.#kept.keys()) if (!this.#wanted.has(key)) this.#drop(key);
  }

  /** Fetches what is missing, one shard after the other. @throws what fetching throws; the rest is then not fetched. */
  async fill(signal: AbortSignal): Promise<void> {
    for (const [key, lease] of this.#wanted) {
      if (this.#kept.has(key)) continue;
      const shard = await this.#fetch(lease, signal);
      if (signal.aborted || !this.#wanted.has(key)) return;
      this.#kept.set(key, { lease, shard, block: undefined, rounds: 0 });
    }
  }

  /** Takes in a shard that was leased until now. */
  add({ lease, shard, rounds }: SpareShard): void {
    this.#kept.set(leaseKey(lease), { lease, shard, block: undefined, rounds });
  }

  /**
   * Brings margins nearer to the committed rounds, by a part of the work of a round. The device must be free.
   * @param leasedRows rows that this member trains on.
   */
  async follow(
    committed: readonly { readonly trees: readonly BinnedTree[] }[],
    leasedRows: number,
  ): Promise<void> {
    let loads = MOST_LOADS;
    let steps = MOST_STEPS_PER_ROW * leasedRows;
    for (const kept of this.#kept.values()) {
      if (kept.block === undefined) {
        if (loads === 0) continue;
        loads -= 1;
        kept.block = await this.#device.load(binnedBlock(kept.shard, this.#spec), 'evaluate');
      }
      for (; kept.rounds < committed.length && steps > 0; kept.rounds += 1) {
        this.#device.applyTrees([kept.block], committed[kept.rounds]!.trees);
        steps -= kept.lease.rows;
      }
    }
  }

  /** Gives a shard away, with its margins as they are; undefined where it is not here. */
  async take(lease: Lease): Promise<SpareShard | undefined> {
    const key = leaseKey(lease);
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    const { shard, block, rounds } = kept;
    if (block === undefined) {
      this.#kept.delete(key);
      return { lease, shard, rounds };
    }
    const baseMargins = await this.#device.readMargins(block);
    this.#drop(key);
    return { lease, shard: { ...shard, baseMargins }, rounds };
  }

  /** Drops shards whose margins include rounds beyond these: they are fetched anew. */
  forgetBeyond(rounds: number): void {
    for (const [key, kept] of this.#kept) if (kept.rounds > rounds) this.#drop(key);
  }

  #drop(key: string): void {
    const block = this.#kept.get(key)?.block;
    if (block) this.#device.unload(block);
    this.#kept.delete(key);
  }
}
