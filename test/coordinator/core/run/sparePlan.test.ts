import { describe, expect, it } from 'vitest';
import { planLeases } from '../../../../coordinator/core/run/leasePlan.ts';
import { planSpares } from '../../../../coordinator/core/run/sparePlan.ts';
import { makeShards } from './runBench.ts';

const indices = (plan: readonly (readonly { index: number }[])[]): number[][] =>
  plan.map((leases) => leases.map(({ index }) => index));

/** Shards 0..count-1 leased in equal parts, one after the other. */
function leasesOf(count: number, members: number): ReturnType<typeof makeShards>[] {
  return planLeases(
    makeShards(count),
    Array.from({ length: members }, (_, i) => ({ workerId: `w${i}`, weight: 1, holds: [] })),
  );
}

describe('planSpares', () => {
  it('gives each shard to one other member, those of an owner evenly', () => {
    const leases = leasesOf(12, 4);
    const spares = planSpares(leases);
    expect(spares.flat().map(({ index }) => index)).toHaveLength(12);
    expect(new Set(spares.flat().map(({ index }) => index)).size).toBe(12);
    for (const [rank, kept] of spares.entries()) {
      for (const [owner, owned] of leases.entries()) {
        const shares = kept.filter((lease) => owned.includes(lease)).length;
        expect(shares).toBe(owner === rank ? 0 : 1);
      }
    }
  });

  it('lets the plan without any one of the members move nothing that is not ready', () => {
    for (const [count, members] of [
      [12, 4],
      [19, 4],
      [7, 3],
      [5, 2],
    ] as const) {
      const leases = leasesOf(count, members);
      const spares = planSpares(leases);
      for (let lost = 0; lost < members; lost += 1) {
        const left = leases.map((_, rank) => rank).filter((rank) => rank !== lost);
        const next = planLeases(
          makeShards(count),
          left.map((rank) => ({
            workerId: `w${rank}`,
            weight: 1,
            holds: leases[rank]!,
            spares: spares[rank]!,
          })),
        );
        const fetched = next.map((plan, i) => {
          const ready = new Set([...leases[left[i]!]!, ...spares[left[i]!]!].map(({ index }) => index));
          return plan.filter(({ index }) => !ready.has(index)).length;
        });
        // Parts that are not equal may leave one over.
        expect(fetched.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(count % members === 0 ? 0 : 1);
      }
    }
  });

  it('keeps what a member has loaded already', () => {
    const leases = leasesOf(6, 3);
    const before = planSpares(leases);
    const swapped = [before[0]!, before[2]!, before[1]!];
    const holds = leases.map((mine, rank) => swapped[rank]!.filter((lease) => !mine.includes(lease)));
    for (const [rank, kept] of planSpares(leases, holds).entries()) {
      for (const lease of holds[rank]!) expect(kept).toContain(lease);
    }
  });

  it('keeps no more than the bound, and nothing where a member is alone', () => {
    const leases = leasesOf(8, 2);
    expect(indices(planSpares(leases, [], 25)).map(({ length }) => length)).toEqual([2, 2]);
    expect(planSpares([makeShards(3)])).toEqual([[]]);
    expect(planSpares([])).toEqual([]);
  });
});
