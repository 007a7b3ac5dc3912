import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchBlock } from '../../../coordinator/cli/watchBlock.ts';
import { Screen } from '../../setup/screen.ts';

/** Watches three blocks; the last one is asked for when the watcher is called off. */
async function watched(
  stdout: { write(text: string): unknown },
  blocks: readonly string[],
  isRedrawn = true,
) {
  const interrupt = new AbortController();
  const rest = [...blocks];
  await watchBlock(
    { stdout, signal: interrupt.signal },
    {
      isRedrawn,
      everyMs: 0,
      block: async () => {
        await turn();
        const next = rest.shift();
        if (next !== undefined) return next;
        interrupt.abort();
        throw new Error('called off');
      },
    },
  );
}

describe('A block that is watched', () => {
  it('is drawn in place on a terminal, and the last one stays', async () => {
    const screen = new Screen(40, 10);
    screen.write('$ tabgrad status --watch\n');
    await watched(screen, ['one\ntwo\nthree\n', 'four\n', 'five\nsix\n']);
    expect(screen.lines).toEqual(['$ tabgrad status --watch', 'five', 'six', '']);
  });

  it('is cut to the rows of the terminal', async () => {
    const screen = new Screen(40, 5);
    const block = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('');
    await watched(screen, [block, `${block}end\n`]);
    expect(screen.lines).toEqual(['line 0', 'line 1', 'line 2', '… 18 more lines', '']);
  });

  it('is written one below the other on a pipe, with an empty line between', async () => {
    const written: string[] = [];
    await watched({ write: (text) => written.push(text) }, ['one\n', 'one\n']);
    expect(written.join('')).toBe('one\n\none\n');
  });

  it('is a value a line for programs, on a terminal too', async () => {
    const screen = new Screen(40, 10);
    await watched(screen, ['{"a":1}\n', '{"a":2}\n'], false);
    expect(screen.written.join('')).toBe('{"a":1}\n{"a":2}\n');
  });

  it('ends with what went wrong', async () => {
    const screen = new Screen();
    let asked = 0;
    const block = async (): Promise<string> => {
      await turn();
      if (++asked > 1) throw new Error('nobody answers');
      return 'up\n';
    };
    const watching = watchBlock(
      { stdout: screen, signal: new AbortController().signal },
      { block, isRedrawn: true, everyMs: 0 },
    );
    await expect(watching).rejects.toThrow('nobody answers');
    expect(screen.lines).toEqual(['up', '']);
  });
});
