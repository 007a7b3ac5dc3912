import { describe, expect, it } from 'vitest';
import { shareRows } from '../../../client/gbdt/shareRows.ts';
import type { RunData } from '../../../client/gbdt/runData.ts';
import type { Collective } from '../../../shared/collective/collective.ts';
import type { Lease } from '../../../shared/protocol/control.ts';

const leaseOf = (index: number, sha256: string): Lease => ({
  dataset: 'train',
  index,
  firstRow: 10 * index,
  rows: 10,
  sha256,
  sizeBytes: 100,
});
const stored = ['a', 'b'].map((letter) => letter.repeat(64));

/** This member, the first of two: it has the first half of twenty rows, and the other says that it has `told`. */
function sharing(told: Lease): Promise<boolean> {
  const own = leaseOf(0, stored[0]!);
  const bytes = (leases: readonly Lease[]): Uint8Array => new TextEncoder().encode(JSON.stringify(leases));
  const collective = {
    size: 2,
    rank: 0,
    members: ['me', 'other'],
    allGather: () => Promise.resolve([bytes([own]), bytes([told])]),
  } as unknown as Collective;
  const data = {
    spec: { trainRows: 20, features: [{}], sharesRows: true },
    leases: [own],
    holdShared(leases: readonly Lease[]) {
      const missing = leases.find(({ sha256 }) => !stored.includes(sha256));
      return missing ? Promise.reject(new Error(`no blob ${missing.sha256}`)) : Promise.resolve();
    },
  } as unknown as RunData;
  return shareRows(data, collective, new AbortController().signal);
}

describe('Sharing rows', () => {
  it('loads what the others lease', async () => {
    expect(await sharing(leaseOf(1, stored[1]!))).toBe(true);
  });

  it('names the member whose lease can not be loaded', async () => {
    await expect(sharing(leaseOf(1, 'f'.repeat(64)))).rejects.toMatchObject({
      code: 'PEER_MESSAGE_INVALID',
      peers: ['other'],
      message: expect.stringContaining(
        'What worker other says that it holds can not be loaded: no blob',
      ) as string,
    });
  });
});
