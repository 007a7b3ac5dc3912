import { createHash } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../../../coordinator/core/blobs/folderBlobStore.ts';
import {
  WorkerUploads,
  type WorkerUploadsOptions,
} from '../../../../coordinator/core/blobs/workerUploads.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

const MINUTE_MS = 60_000;

describe('WorkerUploads', () => {
  let folder: string;
  let blobs: FolderBlobStore;
  let clock: ManualClock;
  let uploads: WorkerUploads;
  let inUse: Set<string>;

  function open(options: Partial<WorkerUploadsOptions> = {}): void {
    inUse = new Set();
    uploads = new WorkerUploads({
      blobs,
      clock,
      log: () => undefined,
      maxBytes: () => 100,
      inUse: () => inUse,
      quota: { bytesEach: 200, blobsEach: 2, bytesInAll: 500 },
      ...options,
    });
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uploads-'));
    blobs = await FolderBlobStore.open(folder);
    clock = new ManualClock();
    open();
  });
  afterEach(async () => {
    uploads.close();
    await rm(folder, { recursive: true });
  });

  /** As the server does it; the bytes are a name and spaces. */
  async function upload(workerId: string, name: string): Promise<string> {
    const bytes = Buffer.from(name.padEnd(100));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const place = await uploads.begin(workerId, sha256, bytes.length);
    await blobs.putBytes(bytes);
    place.stored(true);
    clock.advance(1_000);
    return sha256;
  }

  async function age(sha256: string, ms: number): Promise<void> {
    const then = new Date(Date.now() - ms);
    await utimes(blobs.pathOf(sha256), then, then);
  }

  const refused = (why: RegExp): object =>
    expect.objectContaining({
      code: 'UPLOAD_REFUSED',
      message: expect.stringMatching(why) as string,
    }) as object;

  it('lets nobody store who is in no run that stores anything', async () => {
    open({ maxBytes: () => 0 });
    await expect(uploads.begin('w', 'a', 1)).rejects.toEqual(
      refused(/^Worker w is in no run whose members store anything$/),
    );
  });

  it('takes no blob that is larger than the run allows', async () => {
    await expect(uploads.begin('w', 'a', 101)).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      message: 'A blob of worker w may have 100 bytes in its run, not 101',
    });
  });

  it('takes two at a time, and so many a second', async () => {
    const places = [await uploads.begin('w', 'a', 1), await uploads.begin('w', 'b', 1)];
    await expect(uploads.begin('w', 'c', 1)).rejects.toEqual(refused(/too many blobs at a time/));
    await uploads.begin('another', 'c', 1);
    for (const place of places) {
      place.end();
      place.end();
    }
    for (let i = 0; i < 198; i++) (await uploads.begin('w', 'a', 1)).end();
    await expect(uploads.begin('w', 'a', 1)).rejects.toEqual(refused(/too many blobs at a time/));
    clock.advance(20);
    (await uploads.begin('w', 'a', 1)).end();
  });

  it('counts what is under way, and what was broken off no more', async () => {
    const first = await uploads.begin('w', 'a', 100);
    await uploads.begin('w', 'b', 100);
    first.end();
    await uploads.begin('w', 'c', 100);
    clock.advance(10_000);
    await uploads.begin('v', 'a', 100);
    await uploads.begin('v', 'b', 100);
    await expect(uploads.begin('u', 'a', 100).then(() => uploads.begin('u', 'b', 100))).rejects.toEqual(
      refused(/^Workers have stored as much as they may \(500 bytes\)/),
    );
  });

  it('deletes a state that another one has replaced to make room, and none that a run needs', async () => {
    const states: string[] = [];
    for (const name of ['first', 'second']) {
      states.push(await upload('w', name));
      uploads.named(states.at(-1)!);
    }
    inUse.add(states[1]!);
    await expect(uploads.begin('w', 'third', 100)).rejects.toEqual(refused(/^Worker w has stored as much/));
    await age(states[0]!, 10_001);
    await age(states[1]!, 10_001);
    (await uploads.begin('w', 'third', 100)).end();
    expect(await Promise.all(states.map((sha256) => blobs.has(sha256)))).toEqual([false, true]);
  });

  it('sweeps what no run has named, five minutes later, and leaves what one has', async () => {
    const [lost, named] = [await upload('w', 'lost'), await upload('w', 'named')];
    uploads.named(named);
    expect([uploads.isUnnamed(lost), uploads.isUnnamed(named)]).toEqual([true, false]);
    for (const sha256 of [lost, named]) await age(sha256, 4 * MINUTE_MS);
    await sweepAfter(4);
    expect([await blobs.has(lost), await blobs.has(named)]).toEqual([true, true]);
    for (const sha256 of [lost, named]) await age(sha256, 6 * MINUTE_MS);
    await sweepAfter(2);
    expect([await blobs.has(lost), await blobs.has(named), uploads.isUnnamed(lost)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('does not sweep what somebody else has stored since', async () => {
    const sha256 = await upload('w', 'the same bytes');
    await age(sha256, 10 * MINUTE_MS);
    await blobs.putBytes(Buffer.from('the same bytes'.padEnd(100)));
    await sweepAfter(6);
    expect(await blobs.has(sha256)).toBe(true);
  });

  it('forgets uploads whose blobs are gone, and has no timer when there are none', async () => {
    const sha256 = await upload('w', 'a');
    uploads.named(sha256);
    uploads.named(await upload('w', 'b'));
    await expect(uploads.begin('w', 'c', 100)).rejects.toEqual(refused(/as much/));
    await blobs.delete(sha256);
    await sweepAfter(1);
    (await uploads.begin('w', 'c', 100)).end();
    expect(clock.pending).toBe(1);
    uploads.close();
    expect(clock.pending).toBe(0);
  });

  /** Sweeps read the folder: each is over when the next timer is set. */
  async function sweepAfter(minutes: number): Promise<void> {
    for (let i = 0; i < minutes; i++) {
      clock.advance(MINUTE_MS);
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
});
