// What a killed process leaves in the temporary folder is removed; what may still be of use to anybody is not.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtFile } from '../../../coordinator/files/builtFile.ts';
import { makeTemporaryFolder, sweepTemporaryFolders } from '../../../coordinator/files/temporaryFolder.ts';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tabgrad-sweep-test-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** What a killed process leaves: the system has lifted its lock. */
async function leftBehind(name = 'tabgrad-storage-aB3dE6'): Promise<string> {
  const folder = join(parent, name);
  await mkdir(join(folder, 'blobs'), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'blobs/rows'), 'rows');
  await writeFile(join(folder, '.lock'), '');
  return folder;
}

describe('a temporary folder', () => {
  it('is for its owner alone, and is removed once', async () => {
    const folder = await makeTemporaryFolder('download', parent);
    expect(basename(folder.path)).toMatch(/^tabgrad-download-\w{6}$/);
    expect((await lstat(folder.path)).mode & 0o777).toBe(0o700);
    await writeFile(join(folder.path, 'content'), 'rows');
    await folder.remove();
    expect(await readdir(parent)).toEqual([]);
    await folder.remove();
  });

  it('is not made where there is no room for it', async () => {
    const missing = join(parent, 'missing');
    await expect(makeTemporaryFolder('blob', missing)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that a killed process left is removed with all that is in it', async () => {
    const folder = await leftBehind();
    expect(await sweepTemporaryFolders(parent)).toEqual([folder]);
    expect(await readdir(parent)).toEqual([]);
  });

  const kept: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['of a process that lives', () => makeTemporaryFolder('storage', parent)],
    ['without a lock', async () => rm(join(await leftBehind(), '.lock'))],
    ['of another name', () => leftBehind('tabgrad-storage-results')],
    ['that others can read', async () => chmod(await leftBehind(), 0o755)],
    [
      'that is a link to elsewhere',
      async () => {
        await rename(await leftBehind(), join(parent, 'elsewhere'));
        await symlink(join(parent, 'elsewhere'), join(parent, 'tabgrad-storage-aB3dE6'));
      },
    ],
    ['that is a file', () => writeFile(join(parent, 'tabgrad-storage-aB3dE6'), '', { mode: 0o700 })],
  ];

  it.each(kept)('%s stays', async (_, make) => {
    await make();
    const before = await readdir(parent, { recursive: true });
    expect(await sweepTemporaryFolders(parent)).toEqual([]);
    expect(await readdir(parent, { recursive: true })).toEqual(before);
  });

  it('of a killed coordinator is gone when the next one has started, and that of a living one is not', async () => {
    const living = await startCoordinator(parent);
    const [kept] = await readdir(parent);
    const killed = await startCoordinator(parent);
    const left = (await readdir(parent)).find((name) => name !== kept)!;
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(new Set(await readdir(parent))).toEqual(new Set([kept, left]));
    const next = await startCoordinator(parent);
    const names = await readdir(parent);
    expect(names).toHaveLength(2);
    expect(names).toContain(kept);
    expect(names).not.toContain(left);
    for (const child of [living, next]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});

/** One without a storage folder, in a process of its own. */
async function startCoordinator(temporary: string): Promise<ReturnType<typeof spawn>> {
  const library = pathToFileURL(builtFile('node/index.js')!).href;
  const program = `
    const { startCoordinator } = await import(${JSON.stringify(library)});
    await startCoordinator({ port: 0 });
    console.log('up');
    setTimeout(() => process.exit(1), 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  expect(line).toBe('up');
  return child;
}
