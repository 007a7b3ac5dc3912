// Sockets are served between pieces of work, in every runtime that computes on its processor.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleForRuntime } from '../setup/bundleForRuntime.ts';

const run = promisify(execFile);
const deno = fileURLToPath(import.meta.resolve('deno/bin.cjs'));
let folder: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-turns-'));
  script = join(folder, 'busyTurns.mjs');
  const entry = fileURLToPath(import.meta.resolve('./fixtures/busyTurns.ts'));
  await writeFile(script, await bundleForRuntime(entry, 'esm', 'node'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  { runtime: 'Node', args: [] },
  { runtime: 'Deno', args: [deno, 'run', '--no-config', '--allow-net=127.0.0.1'] },
])('requests are answered in $runtime while it computes', async ({ args }) => {
  const { stdout } = await run(process.execPath, [...args, script], { timeout: 60_000 });
  // Each turn hears what has arrived; a request takes a few. Without a look at the sockets there is one, or none.
  expect(Number(stdout)).toBeGreaterThan(3);
});
