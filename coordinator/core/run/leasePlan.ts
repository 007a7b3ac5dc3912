// Who holds which shards. A pure function: the same workers, in the same order, with the same holdings always get the
// same plan. A worker keeps what it holds as far as balance allows, because moving a shard means fetching it again.

import type { Lease } from '../../../shared/protocol/control.ts';
import type { Shard } from './runRequest.ts';
import { mostUnproven } from './unprovenLimit.ts';

export interface PlanWorker {
  readonly workerId: string;
  /** Speed relative to the others; shards are shared out in proportion. */
  readonly weight: number;
  /** What it has loaded from an earlier plan. */
  readonly holds: readonly Lease[];
  /** What it keeps ready of others' shards: of shards without a holder it gets these first. */
  readonly spares?: readonly Lease[];
  /** It counts towards the share that such workers may hold together. */
  readonly isUnproven?: boolean;
}

export const TRAIN_DATASET = 'train';

/** More workers than this have nothing to train on: a member must hold at least one shard of the training set. */
export function usefulWorkers(shards: readonly Shard[]): number {
  return shards.filter((shard) => shard.dataset === TRAIN_DATASET).length;
}

/**
 * Leases every shard exactly once.
 * @param workers in rank order, those that stay before newcomers: where two hold the same shard, the first keeps it.
 * @returns leases of each worker, in the order of `workers`, each list by dataset and index. Every worker has a shard
 * of the training set when there are at most `usefulWorkers`.
 * @param maxUnprovenShare of each dataset's shards, for unproven workers together. A worker's least shard goes before that,
 * and so does that every shard is leased where there are no others.
 */
export function planLeases(
  shards: readonly Shard[],
  workers: readonly PlanWorker[],
  maxUnprovenShare = 1,
): Lease[][] {
  const leases: Lease[][] = workers.map(() => []);
  for (const dataset of new Set(shards.map((shard) => shard.dataset))) {
    const ofDataset = shards.filter((shard) => shard.dataset === dataset).sort((a, b) => a.index - b.index);
    const least = dataset === TRAIN_DATASET ? 1 : 0;
    const parts = planDataset(ofDataset, workers, { least, maxUnprovenShare });
    for (const [i, part] of parts.entries()) leases[i]?.push(...part);
  }
  return leases;
}

interface ShareBounds {
  /** Shards that each worker has, while there are enough. */
  readonly least: number;
  readonly maxUnprovenShare: number;
}

function planDataset(
  shards: readonly Shard[],
  workers: readonly PlanWorker[],
  bounds: ShareBounds,
): Lease[][] {
  const byKey = new Map(shards.map((shard) => [leaseKey(shard), shard]));
  const unheld = new Set(byKey.keys());
  const held = workers.map((worker) => {
    const mine = worker.holds.filter((lease) => unheld.has(leaseKey(lease)));
    for (const lease of mine) unheld.delete(leaseKey(lease));
    return mine.sort((a, b) => a.index - b.index);
  });
  const sharers = workers.map(({ weight, isUnproven = false }, i) => ({
    weight,
    isUnproven,
    held: held[i]?.length ?? 0,
  }));
  const quotas = limitedQuotas(shards.length, sharers, bounds);
  const kept = held.map((mine, i) => mine.slice(0, quotas[i]));
  const taken = new Set(kept.flat().map(leaseKey));
  const ready = kept.map((mine, i) => {
    // Not all shards for each worker: a plan is made whenever a newcomer comes.
    const spares = [...new Set((workers[i]?.spares ?? []).map(leaseKey))].filter((key) => !taken.has(key));
    const added = spares
      .flatMap((key) => byKey.get(key) ?? [])
      .sort((a, b) => a.index - b.index)
      .slice(0, (quotas[i] ?? 0) - mine.length);
    for (const shard of added) taken.add(leaseKey(shard));
    return [...mine, ...added];
  });
  const free = shards.filter((shard) => !taken.has(leaseKey(shard)));
  let next = 0;
  return ready.map((mine, i) => {
    const missing = (quotas[i] ?? 0) - mine.length;
    const added = free.slice(next, next + missing);
    next += missing;
    return [...mine, ...added].sort((a, b) => a.index - b.index);
  });
}

interface Sharer {
  readonly weight: number;
  readonly held: number;
  readonly isUnproven: boolean;
}

/** Shares of all; where the unproven ones would have too much, of both kinds apart. */
function limitedQuotas(
  count: number,
  sharers: readonly Sharer[],
  { least, maxUnprovenShare }: ShareBounds,
): number[] {
  const quotas = quotasOf(count, sharers, least);
  const unproven = sharers.filter((sharer) => sharer.isUnproven);
  const others = sharers.filter((sharer) => !sharer.isUnproven);
  const most = Math.max(mostUnproven(count, maxUnprovenShare), Math.min(count, least * unproven.length));
  const wanted = quotas.reduce((sum, quota, i) => sum + (sharers[i]?.isUnproven === true ? quota : 0), 0);
  if (others.length === 0 || wanted <= most) return quotas;
  const ofUnproven = quotasOf(most, unproven, least);
  const ofOthers = quotasOf(count - most, others, least);
  return sharers.map(({ isUnproven }) => (isUnproven ? ofUnproven : ofOthers).shift() ?? 0);
}

/**
 * Shares `count` shards out in proportion to weights (largest remainders; of equal ones, who holds more gets it, then
 * who comes first). No member gets fewer than `least` while there are enough.
 */
function quotasOf(count: number, sharers: readonly Sharer[], least: number): number[] {
  const weights = sharers.map(({ weight }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (count * weight) / total);
  const quotas = exact.map(Math.floor);
  const order = weights
    .map((_, i) => i)
    .sort((a, b) => {
      // Shares that differ by rounding alone are equal.
      const difference = remainder(exact, b) - remainder(exact, a);
      return Math.abs(difference) > 1e-9
        ? difference
        : (sharers[b]?.held ?? 0) - (sharers[a]?.held ?? 0) || a - b;
    });
  const left = count - quotas.reduce((sum, quota) => sum + quota, 0);
  for (const i of order.slice(0, left)) quotas[i] = (quotas[i] ?? 0) + 1;
  for (let i = 0; i < quotas.length; i += 1) {
    while ((quotas[i] ?? 0) < least) {
      const richest = quotas.indexOf(Math.max(...quotas));
      if ((quotas[richest] ?? 0) <= least) return quotas;
      quotas[richest] = (quotas[richest] ?? 0) - 1;
      quotas[i] = (quotas[i] ?? 0) + 1;
    }
  }
  return quotas;
}

function remainder(exact: readonly number[], i: number): number {
  const share = exact[i] ?? 0;
  return share - Math.floor(share);
}

export function leaseKey(lease: Lease): string {
  return `${lease.dataset}/${lease.index}/${lease.sha256}`;
}
