import { describe, expect, it } from 'vitest';
import { BlobChecks } from '../../../../coordinator/core/blobs/blobChecks.ts';
import { AbortedError } from '../../../../kernels/errors.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

/** A store whose checks end when the test says so. */
class SlowStore {
  readonly verified: string[] = [];
  readonly withdrawn: string[] = [];
  #end: ((isInOrder: boolean) => void) | undefined;

  async has(): Promise<boolean> {
    return true;
  }

  verify(sha256: string, signal?: AbortSignal): Promise<boolean> {
    this.verified.push(sha256);
    return new Promise((resolve, reject) => {
      this.#end = resolve;
      signal?.addEventListener('abort', () => {
        this.withdrawn.push(sha256);
        reject(new AbortedError('withdrawn'));
      });
    });
  }

  async end(isInOrder: boolean): Promise<void> {
    await Promise.resolve();
    this.#end!(isInOrder);
  }
}

describe('Checks of blobs', () => {
  const never = new AbortController().signal;

  it('of one blob are one, and are remembered for a while when it is in order', async () => {
    const clock = new ManualClock();
    const store = new SlowStore();
    const checks = new BlobChecks(store, clock);
    const both = Promise.all([checks.check('x', 'a', never), checks.check('x', 'b', never)]);
    await store.end(true);
    expect(await both).toEqual([true, true]);
    expect(await checks.check('x', 'c', never)).toBe(true);
    expect(store.verified).toEqual(['x']);
    const owners = checks.check('x', undefined, never);
    await store.end(true);
    expect(await owners).toBe(true);
    expect(store.verified).toEqual(['x', 'x']);
    clock.advance(5_000);
    const later = checks.check('x', 'a', never);
    await store.end(false);
    expect(await later).toBe(false);
    const again = checks.check('x', 'a', never);
    await store.end(true);
    expect(await again).toBe(true);
    expect(store.verified).toEqual(['x', 'x', 'x', 'x']);
  });

  it('of one blob have a turn in the line of each who waits for it: nobody waits in that of another', async () => {
    const store = new SlowStore();
    const checks = new BlobChecks(store, new ManualClock());
    const asked = ['x', 'y', 'z', 'mine'].map((name) => checks.check(name, 'flood', never));
    asked.push(checks.check('mine', undefined, never), checks.check('mine', 'other', never));
    for (let index = 0; index < 4; index++) {
      await store.end(true);
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asked)).toEqual([true, true, true, true, true, true]);
    expect(store.verified).toEqual(['x', 'y', 'mine', 'z']);
  });

  it('are done one after another, in turns', async () => {
    const store = new SlowStore();
    const checks = new BlobChecks(store, new ManualClock());
    const asked = ['x', 'y', 'z'].map((name) => checks.check(name, 'flood', never));
    asked.push(checks.check('mine', undefined, never));
    expect(store.verified).toEqual(['x']);
    for (let index = 0; index < 4; index++) {
      await store.end(true);
      await new Promise(setImmediate);
    }
    expect(await Promise.all(asked)).toEqual([true, true, true, true]);
    expect(store.verified).toEqual(['x', 'y', 'mine', 'z']);
  });

  it('end when nobody waits for them', async () => {
    const store = new SlowStore();
    const checks = new BlobChecks(store, new ManualClock());
    const [first, second] = [new AbortController(), new AbortController()];
    const both = [checks.check('x', 'a', first.signal), checks.check('x', 'b', second.signal)];
    const waiting = checks.check('y', 'b', second.signal);
    first.abort();
    await expect(both[0]).rejects.toMatchObject({ code: 'ABORTED' });
    expect(store.withdrawn).toEqual([]);
    second.abort();
    await expect(both[1]).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await new Promise(setImmediate);
    expect(store).toMatchObject({ verified: ['x'], withdrawn: ['x'] });
    const anew = checks.check('x', 'a', never);
    await store.end(true);
    expect(await anew).toBe(true);
  });
});
