// When to move shards because workers differ in speed. Moving costs a new generation, so the gain must be clear.

import type { Lease } from '../../../shared/protocol/control.ts';
import { planLeases, TRAIN_DATASET } from './leasePlan.ts';
import type { Shard } from './runRequest.ts';

/** What is measured of a member: how long it takes for a training row of one round. */
export interface MeasuredMember {
  readonly workerId: string;
  readonly leases: readonly Lease[];
  readonly msPerRow: number;
  readonly isUnproven?: boolean | undefined;
}

/** Weight of the newest round in the running mean. */
const SMOOTHING = 0.3;
/** The slowest member must take this much longer than it would after the move. */
const CLEARLY_BEHIND = 1.25;
/** About what a new generation costs, in milliseconds. */
const GENERATION_COST_MS = 3_000;

export function trainRows(leases: readonly Lease[]): number {
  return leases.reduce((rows, lease) => rows + (lease.dataset === TRAIN_DATASET ? lease.rows : 0), 0);
}

export function allRows(leases: readonly Lease[]): number {
  return leases.reduce((rows, lease) => rows + lease.rows, 0);
}

export function smoothed(previous: number | undefined, value: number): number {
  return previous === undefined ? value : previous + SMOOTHING * (value - previous);
}

/**
 * Weights for a better plan, or undefined when the present one is good enough.
 * @param remainingRounds rounds over which the move can pay.
 * @param maxUnprovenShare of the shards, for unproven members together.
 */
export function betterWeights(
  shards: readonly Shard[],
  members: readonly MeasuredMember[],
  remainingRounds: number,
  maxUnprovenShare = 1,
): Map<string, number> | undefined {
  if (members.length < 2 || members.some((member) => !(member.msPerRow > 0))) return undefined;
  const weights = new Map(members.map((member) => [member.workerId, 1 / member.msPerRow]));
  const plan = planLeases(
    shards,
    members.map(({ workerId, leases, msPerRow, isUnproven = false }) => ({
      workerId,
      weight: 1 / msPerRow,
      holds: leases,
      isUnproven,
    })),
    maxUnprovenShare,
  );
  const roundMs = (leases: readonly (readonly Lease[])[]): number =>
    Math.max(...members.map((member, i) => trainRows(leases[i] ?? []) * member.msPerRow));
  const now = roundMs(members.map((member) => member.leases));
  const then = roundMs(plan);
  const pays = now >= CLEARLY_BEHIND * then && (now - then) * remainingRounds > GENERATION_COST_MS;
  return pays ? weights : undefined;
}
