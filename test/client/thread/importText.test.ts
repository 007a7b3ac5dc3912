// In Deno, a module of an owner is imported alike from a clone and from an installed package.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-import-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the text of a module in Deno', () => {
  it.each([
    ['a clone', 'dist/deno'],
    ['an installed package', 'node_modules/tabgrad/dist/deno'],
  ])('is imported by %s, and its positions are known by its address', async (_, place) => {
    const dir = join(folder, place);
    await mkdir(dir, { recursive: true });
    const bundle = await rolldown({
      input: 'test/client/thread/fixtures/importer.deno.ts',
      platform: 'node',
      logLevel: 'warn',
    });
    await bundle.write({ dir, format: 'esm', entryFileNames: 'importer.mjs' });
    await bundle.close();
    const deno = fileURLToPath(import.meta.resolve('deno/bin.cjs'));
    const args = [deno, 'run', '--no-config', '--no-prompt', join(dir, 'importer.mjs')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    const { url, answer, stack } = JSON.parse(stdout) as { url: string; answer: number; stack: string };
    expect(answer).toBe(42);
    expect(stack).toContain(`(${url}:2:35)`);
    expect(url.startsWith(place.startsWith('node_modules') ? 'data:' : 'blob:')).toBe(true);
  });
});
