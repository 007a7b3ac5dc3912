import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const runChild = new URL('../../scripts/runChild.mjs', import.meta.url).href;

/** A process that runs `code` as its child, once the child has said that it is there. */
async function parentOf(code: string, hasOwnGroup = false) {
  const script = `import { runChild } from ${JSON.stringify(runChild)}; runChild(process.execPath, ['-e', ${JSON.stringify(code)}])`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: hasOwnGroup,
    timeout: 30_000,
  });
  let said = '';
  const isThere = new Promise<void>((resolve) => {
    parent.stdout.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('there')) resolve();
    });
  });
  const ended = once(parent, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await Promise.race([isThere, ended]);
  return { parent, ended, said: () => said };
}

const countsInterrupts = `
  let interrupts = 0;
  process.on('SIGINT', () => { interrupts += 1; setImmediate(() => { console.log('interrupted', interrupts); process.exit(7); }); });
  setInterval(() => {}, 1000);
  console.log('there');`;

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a child ends by the %s that its parent got, and the parent as a shell would tell it',
  async (signal) => {
    const { parent, ended } = await parentOf(`setInterval(() => {}, 1000); console.log('there')`);
    parent.kill(signal);
    expect(await ended).toEqual([{ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal], null]);
  },
);

it("a child that ends in order gets an interrupt once, and its exit code is the parent's", async () => {
  const { parent, ended, said } = await parentOf(countsInterrupts);
  parent.kill('SIGINT');
  expect(await ended).toEqual([7, null]);
  expect(said()).toContain('interrupted 1');
});

it('an interrupt of the whole group, as a terminal sends it, comes once, too', async () => {
  const { parent, ended, said } = await parentOf(countsInterrupts, true);
  process.kill(-parent.pid!, 'SIGINT');
  expect(await ended).toEqual([7, null]);
  expect(said()).toContain('interrupted 1');
});
