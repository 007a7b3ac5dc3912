import { describe, expect, it } from 'vitest';
import { runTerminalWorker, type Terminal } from '../../../client/runtime/terminalWorker.ts';
import { secretVariables } from '../../../shared/protocol/secretVariables.ts';

/** A terminal with these variables, whose standard input says the pieces and then ends. */
function terminalWith(
  variables: Map<string, string>,
  pieces: readonly string[] = [],
  args: readonly string[] = [],
): Terminal & { readonly errors: string[] } {
  const unused = (): void => undefined;
  const errors: string[] = [];
  const encoded = pieces.map((piece) => new TextEncoder().encode(piece));
  return {
    args: ['--url', 'http://127.0.0.1:7070', ...args],
    env: (name) => variables.get(name),
    forgetEnv: (name) => void variables.delete(name),
    interactive: false,
    write: unused,
    writeError: (text) => void errors.push(text),
    onInterrupt: unused,
    openInput: () =>
      new ReadableStream({
        start(controller) {
          for (const piece of encoded) controller.enqueue(piece);
          controller.close();
        },
      }),
    defaultCacheFolder: 'none',
    errors,
  };
}

describe('A worker process', () => {
  it('takes every secret out of the environment before anything of an owner can be loaded', async () => {
    const variables = new Map(secretVariables.map((name) => [name, `the ${name}`]));
    variables.set('TABGRAD_NAME', 'attic');
    const running = runTerminalWorker(terminalWith(variables), ({ token, name }) => {
      expect([token, name, [...variables.keys()]]).toEqual(['the TABGRAD_TOKEN', 'attic', ['TABGRAD_NAME']]);
      throw new Error('far enough');
    });
    await expect(running).rejects.toThrow('far enough');
  });

  it.each([[['the-token\n']], [['the-', 'token\r', '\nand more\n', 'of it']]])(
    'reads its token from the first line of standard input: %j',
    async (pieces) => {
      const terminal = terminalWith(new Map(), pieces, ['--token', '-']);
      const running = runTerminalWorker(terminal, ({ token }) => {
        throw new Error(`the token is ${token}`);
      });
      await expect(running).rejects.toThrow('the token is the-token');
    },
  );

  it.each([[[]], [['no end of line']], [['\n']], [['x'.repeat(5000), '\n']]])(
    'refuses an input without a token in its first line (%#)',
    async (pieces) => {
      const terminal = terminalWith(new Map(), pieces, ['--token', '-']);
      const code = await runTerminalWorker(terminal, () => {
        throw new Error('it went on');
      });
      expect(code).toBe(2);
      expect(terminal.errors).toEqual([
        'INVALID_WORKER_OPTION: --token -: expected the token as the first line of standard input.\n',
      ]);
    },
  );
});
