import { describe, expect, test } from 'vitest';
import { createBlobUploader, type PutBlob } from '../../../client/blobs/blobUploader.ts';
import { ManualClock, settled } from '../../setup/manualClock.ts';

const state = Uint8Array.from([97, 98, 99]);
/** Of "abc", as FIPS 180-2 has it. */
const name = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

function uploader(statuses: number[]): { putBlob: PutBlob; asked: unknown[]; clock: ManualClock } {
  const asked: unknown[] = [];
  const clock = new ManualClock();
  const putBlob = createBlobUploader({
    origin: 'http://host',
    credentials: { workerId: 'w-1', secret: 's3' },
    clock,
    random: () => 1,
    fetch: (async (url: string, { method, headers }: RequestInit) => {
      asked.push([method, url, headers]);
      return Promise.resolve(new Response('', { status: statuses[asked.length - 1] ?? statuses.at(-1)! }));
    }) as typeof fetch,
  });
  return { putBlob, asked, clock };
}

/** Lets time pass until the upload has ended. */
async function outcome(clock: ManualClock, upload: Promise<unknown>): Promise<unknown> {
  const ends: unknown[] = [];
  upload.then(
    (value) => ends.push(value),
    (error: unknown) => ends.push(error),
  );
  while (ends.length === 0) {
    await settled();
    clock.advance(500);
  }
  return ends[0];
}

describe('storing a blob', () => {
  const signal = new AbortController().signal;

  test('names the bytes by their hash and shows whose they are', async () => {
    const { putBlob, asked, clock } = uploader([201]);
    expect(await outcome(clock, putBlob(state, signal))).toEqual({ sha256: name, sizeBytes: 3 });
    expect(asked).toEqual([['PUT', `http://host/blobs/${name}`, { authorization: 'Worker w-1:s3' }]]);
  });

  test.each([
    ['a restarted coordinator that does not know the worker yet', 401],
    ['too many uploads', 429],
    ['a coordinator that is closing', 503],
  ])('tries again after %s', async (_, status) => {
    const { putBlob, asked, clock } = uploader([status, status, 201]);
    expect(await outcome(clock, putBlob(state, signal))).toEqual({ sha256: name, sizeBytes: 3 });
    expect(asked).toHaveLength(3);
  });

  test('waits for a coordinator that is started again', async () => {
    const { putBlob, asked, clock } = uploader([...Array<number>(50).fill(401), 201]);
    expect(await outcome(clock, putBlob(state, signal))).toEqual({ sha256: name, sizeBytes: 3 });
    expect(asked).toHaveLength(51);
  });

  test.each([413, 422])('does not try again what is refused with %i', async (status) => {
    const { putBlob, asked, clock } = uploader([status]);
    expect(await outcome(clock, putBlob(state, signal))).toMatchObject({
      code: 'BLOB_NOT_STORED',
      message: `Blob ${name} of 3 bytes could not be stored: the coordinator answered ${status}`,
    });
    expect(asked).toHaveLength(1);
  });
});
