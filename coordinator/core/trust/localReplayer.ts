// Does rounds once more in the thread that it is called in.

import { RunReplay, type ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import { readRoundTrees, treeBounds } from '../../../shared/gbdt/readRoundTrees.ts';
import { decodeShard } from '../../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { EncodedTask, Replayer } from './treeAuditor.ts';

export class LocalReplayer implements Replayer {
  readonly #spec: TrainSpec;
  readonly #replay: RunReplay;

  constructor(spec: TrainSpec) {
    this.#spec = spec;
    this.#replay = new RunReplay(spec);
  }

  has(shard: string): boolean {
    return this.#replay.has(shard);
  }

  async add(shard: string, bytes: Uint8Array): Promise<void> {
    this.#replay.add(shard, decodeShard(bytes));
  }

  async follow(rounds: readonly (readonly unknown[])[]): Promise<void> {
    this.#replay.follow(rounds.map((trees) => this.#read(trees)));
  }

  async restore(): Promise<void> {
    this.#replay.restore();
  }

  async check({ rounds, ...task }: EncodedTask): Promise<ReplayedRound[]> {
    return this.#replay.check({
      ...task,
      rounds: rounds.map(({ trees, toldSteps }) => ({ trees: this.#read(trees), toldSteps })),
    });
  }

  async close(): Promise<void> {
    // Nothing but memory is held.
  }

  #read(trees: readonly unknown[]): BinnedTree[] {
    return readRoundTrees(trees, treeBounds(this.#spec));
  }
}
