import { expect, it } from 'vitest';
import { PayloadBlobs } from '../../../../coordinator/core/run/payloadBlobs.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

const rounds = (count: number): { round: number; payload: string[]; metrics: Record<string, number> }[] =>
  Array.from({ length: count }, (_, round) => ({ round, payload: [`tree ${round}`], metrics: {} }));

/** @param tookMs for a blob to be written. */
function blobsOf(tookMs = 0): { blobs: PayloadBlobs; clock: ManualClock; written: unknown[] } {
  const clock = new ManualClock();
  const written: unknown[] = [];
  const put = (value: unknown): Promise<{ sha256: string; sizeBytes: number }> => {
    written.push(value);
    clock.advance(tookMs);
    return Promise.resolve({ sha256: `blob ${written.length}`, sizeBytes: 1 });
  };
  return { blobs: new PayloadBlobs(put, clock), clock, written };
}

it('hundreds of newcomers get what was written for the first of them', async () => {
  const { blobs, written } = blobsOf();
  for (let i = 0; i < 300; i += 1)
    expect(await blobs.ofNewcomer(rounds(10 + i), 0)).toMatchObject({ sha256: 'blob 1', rounds: 10 });
  expect(written).toHaveLength(1);
  expect(blobs.inUse).toEqual(['blob 1']);
});

it('a newcomer gets what was written for the group a moment ago', async () => {
  const { blobs, written } = blobsOf();
  expect(await blobs.ofGroup(rounds(4))).toMatchObject({ sha256: 'blob 1', rounds: 4 });
  expect(await blobs.ofNewcomer(rounds(5), 4)).toMatchObject({ sha256: 'blob 1', rounds: 4 });
  expect(written).toEqual([[['tree 0'], ['tree 1'], ['tree 2'], ['tree 3']]]);
});

it('what took long to write is good for longer, and not for ever', async () => {
  const { blobs, clock, written } = blobsOf(500);
  await blobs.ofNewcomer(rounds(1), 0);
  clock.advance(9_000);
  expect(await blobs.ofNewcomer(rounds(2), 0)).toMatchObject({ rounds: 1 });
  clock.advance(1_000);
  expect(await blobs.ofNewcomer(rounds(2), 0)).toMatchObject({ sha256: 'blob 2', rounds: 2 });
  expect(written).toHaveLength(2);
});

it('who has more rounds than that gets them all', async () => {
  const { blobs } = blobsOf();
  await blobs.ofGroup(rounds(4));
  expect(await blobs.ofNewcomer(rounds(6), 5)).toMatchObject({ sha256: 'blob 2', rounds: 6 });
});

it('a group gets all rounds, and what was written before is not needed any more', async () => {
  const { blobs } = blobsOf();
  await blobs.ofNewcomer(rounds(4), 0);
  expect(await blobs.ofGroup(rounds(4))).toMatchObject({ sha256: 'blob 2' });
  expect(blobs.inUse).toEqual(['blob 2']);
});

it('nothing is written before there are trees', async () => {
  const { blobs, written } = blobsOf();
  expect(await blobs.ofNewcomer([], 0)).toEqual({ sha256: null, rounds: 0 });
  expect(await blobs.ofGroup([])).toEqual({ sha256: null, rounds: 0 });
  expect(written).toEqual([]);
  expect(blobs.inUse).toEqual([]);
});
