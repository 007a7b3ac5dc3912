import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../coordinator/bounds/fairQueue.ts';

/** Work that ends when it is told to. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('A fair queue', () => {
  it('does one piece of work at a time, and parties take turns', async () => {
    const queue = new FairQueue();
    const { signal } = new AbortController();
    const done: string[] = [];
    let atOnce = 0;
    const ask = (party: string, name: string): Promise<void> =>
      queue.run(party, signal, async () => {
        atOnce += 1;
        expect(atOnce).toBe(1);
        await setImmediate();
        atOnce -= 1;
        done.push(name);
      });
    await Promise.all([
      ...Array.from({ length: 5 }, (_, index) => ask('flood', `flood ${index}`)),
      ask('one', 'one 0'),
      ask('two', 'two 0'),
      ask('two', 'two 1'),
    ]);
    expect(done).toEqual(['flood 0', 'flood 1', 'one 0', 'two 0', 'flood 2', 'two 1', 'flood 3', 'flood 4']);
  });

  it('does not begin what was withdrawn, and goes on after what failed', async () => {
    const queue = new FairQueue();
    const { opened, open } = gate();
    const { signal } = new AbortController();
    const withdraw = new AbortController();
    const begun: string[] = [];
    const first = queue.run('a', signal, async () => {
      await opened;
      throw new Error('first failed');
    });
    const second = queue.run('a', withdraw.signal, async () => void begun.push('second'));
    const third = queue.run('a', signal, async () => begun.push('third'));
    withdraw.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    open();
    await expect(first).rejects.toThrow('first failed');
    expect(await third).toBe(1);
    expect(begun).toEqual(['third']);
    await expect(queue.run('a', withdraw.signal, async () => 1)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await queue.run('b', signal, async () => 2)).toBe(2);
  });
});
