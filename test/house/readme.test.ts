// The README's first script runs as it is printed, in an empty folder with the package installed.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('the first script of the README trains a model as printed', async () => {
  const readme = await readFile('README.md', 'utf8');
  const script = /```js\n(?<code>[\s\S]*?)```/.exec(readme)?.groups?.['code'];
  expect(script?.trim().split('\n').length).toBeLessThan(25);
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-readme-'));
  try {
    await mkdir(join(folder, 'node_modules'));
    await symlink(resolve('.'), join(folder, 'node_modules', 'tabgrad'));
    await writeFile(join(folder, 'train.mjs'), script!);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['train.mjs'], {
      cwd: folder,
      timeout: 120_000,
    });
    expect(stderr).toBe('');
    const loss = Number(/'valid-logloss': ([\d.]+)/.exec(stdout)?.[1]);
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThan(0.1);
    expect(stdout).toMatch(/checkpoints\/20\/model\.json/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
