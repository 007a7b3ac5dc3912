// How long members may take to load their rows and to be ready: learned from the others, as all patience is.

import type { Lease } from '../../../shared/protocol/control.ts';
import { TIMES_THE_SLOWEST } from './patience.ts';
import type { Due } from './patience.ts';
import type { RunPlan } from './runPlan.ts';
import type { RunState } from './runState.ts';
import { allRows } from './speed.ts';

/** The slowest line that still is one. */
const SLOWEST_BYTES_PER_MS = 16;

/** Upper bound of the time for loading, however slow a line is. */
export function longestLoadMs({ timing }: RunPlan, leases: readonly Lease[]): number {
  const bytes = leases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return timing.loadIdleMs + bytes / SLOWEST_BYTES_PER_MS;
}

/** Progress is told shard by shard, so for each there must be time, however slow a line is. */
function longestShardMs({ timing }: RunPlan, leases: readonly Lease[]): number {
  const largest = leases.reduce((bytes, { sizeBytes }) => Math.max(bytes, sizeBytes), 0);
  return Math.max(timing.loadIdleMs, largest / SLOWEST_BYTES_PER_MS);
}

/** When members have taken far longer for their rows than the others for theirs, whatever they say meanwhile. */
export function slowUntilMs(plan: RunPlan, { members, formedAtMs }: RunState): Due[] {
  const { slowLoadMs, silenceMs } = plan.timing;
  const slow = members.filter((member) => !member.ready && member.loadedAfterMs === undefined);
  const times = members.flatMap(({ loadedAfterMs }) => loadedAfterMs ?? []);
  if (!plan.kind.leasesShards || slow.length === 0 || times.length < slow.length) return [];
  const loadedRows = allRows(
    members.flatMap(({ loadedAfterMs, leases }) => (loadedAfterMs === undefined ? [] : leases)),
  );
  const msPerRow = times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, loadedRows);
  return slow.map((member) => {
    const learnedMs = TIMES_THE_SLOWEST * Math.max(...times, msPerRow * member.rows);
    return {
      member,
      untilMs: formedAtMs + Math.max(member.isPromised ? silenceMs : slowLoadMs, learnedMs),
    };
  });
}

/**
 * When members that say nothing new of their rows have said nothing new for too long, or have loaded for too long. Who has all
 * rows waits for those who do not.
 */
export function idleUntilMs(plan: RunPlan, { members, formedAtMs }: RunState): Due[] {
  const late = members.filter(({ ready }) => !ready);
  const loading = late.filter(({ loadedAfterMs }) => loadedAfterMs === undefined);
  return (loading.length > 0 ? loading : late).map((member) => ({
    member,
    untilMs: Math.min(
      member.progressAtMs + longestShardMs(plan, member.leases),
      formedAtMs + longestLoadMs(plan, member.leases),
    ),
  }));
}

/**
 * When members that have all rows, as all others do, have kept most members waiting too long before they were ready. Nobody
 * knows how long a state takes that is passed on: there only who makes no progress at all is late.
 */
export function readyUntilMs({ kind, timing }: RunPlan, { members, formedAtMs }: RunState): Due[] {
  const late = members.filter(({ ready }) => !ready);
  const loaded = members.flatMap(({ loadedAfterMs }) => loadedAfterMs ?? []);
  if (loaded.length < members.length || members.length - late.length <= late.length) return [];
  const loadedMs = Math.max(...loaded);
  const times = members.flatMap(({ readyAfterMs }) => readyAfterMs ?? []).map((ms) => ms - loadedMs);
  const leastMs = kind.recordsEveryRound ? timing.readyMs : timing.loadIdleMs;
  const untilMs = formedAtMs + loadedMs + Math.max(leastMs, TIMES_THE_SLOWEST * Math.max(...times));
  return late.map((member) => ({ member, untilMs }));
}
