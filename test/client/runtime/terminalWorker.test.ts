import { expect, it } from 'vitest';
import { runTerminalWorker, type Terminal } from '../../../client/runtime/terminalWorker.ts';
import { secretVariables } from '../../../shared/protocol/secretVariables.ts';

it('takes every secret out of the environment before anything of an owner can be loaded', async () => {
  const variables = new Map(secretVariables.map((name) => [name, `the ${name}`]));
  variables.set('TABGRAD_NAME', 'attic');
  const unused = (): void => undefined;
  const terminal: Terminal = {
    args: ['--url', 'http://127.0.0.1:7070'],
    env: (name) => variables.get(name),
    forgetEnv: (name) => void variables.delete(name),
    interactive: false,
    write: unused,
    writeError: unused,
    onInterrupt: unused,
    onInputClosed: unused,
    defaultCacheFolder: 'none',
  };
  const running = runTerminalWorker(terminal, ({ token, name }) => {
    expect([token, name, [...variables.keys()]]).toEqual(['the TABGRAD_TOKEN', 'attic', ['TABGRAD_NAME']]);
    throw new Error('far enough');
  });
  await expect(running).rejects.toThrow('far enough');
});
