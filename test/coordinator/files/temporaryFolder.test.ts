// What a killed process leaves in the temporary folder is removed; what may still be of use to anybody is not.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtFile } from '../../../coordinator/files/builtFile.ts';
import type { ProcessMark } from '../../../coordinator/files/processMark.ts';
import { makeTemporaryFolder, sweepTemporaryFolders } from '../../../coordinator/files/temporaryFolder.ts';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tabgrad-sweep-test-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** A folder of a process that has ended, with what `change` makes of its mark. */
async function leftBehind(change: Partial<ProcessMark> = {}): Promise<string> {
  const folder = await makeTemporaryFolder('storage', parent);
  const file = join(folder, '.owner.json');
  const mark = JSON.parse(await readFile(file, 'utf8')) as ProcessMark;
  await writeFile(file, JSON.stringify({ ...mark, ...(await endedProcess()), ...change }));
  await writeFile(join(folder, 'rows'), 'rows');
  return folder;
}

async function endedProcess(): Promise<{ pid: number }> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return { pid: child.pid! };
}

describe('temporary folders', () => {
  it('are for their owner alone', async () => {
    const folder = await makeTemporaryFolder('download', parent);
    expect((await lstat(folder)).mode & 0o777).toBe(0o700);
    expect((await lstat(join(folder, '.owner.json'))).mode & 0o777).toBe(0o600);
  });

  it('of a process that has ended are removed', async () => {
    const folder = await leftBehind();
    expect(await sweepTemporaryFolders(parent)).toEqual([folder]);
    expect(await readdir(parent)).toEqual([]);
  });

  it('of a process whose number another one has by now are removed', async () => {
    const folder = await leftBehind({ pid: process.pid, started: '1' });
    expect(await sweepTemporaryFolders(parent)).toEqual([folder]);
  });

  const kept: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['of a process that runs', () => makeTemporaryFolder('storage', parent)],
    ['of another machine', () => leftBehind({ host: 'another.example' })],
    ['of another container', () => leftBehind({ pidSpace: 'pid:[1]' })],
    ['that do not say whose they are', () => mkdir(join(parent, 'tabgrad-storage-AAAAAA'), 0o700)],
    ['of another name', async () => renamed(await leftBehind(), 'tabgrad-storage-results')],
    ['that others may read', async () => chmod(await leftBehind(), 0o755)],
    [
      'whose mark is damaged',
      async () => writeFile(join(await leftBehind(), '.owner.json'), '{"pid":-1,"host":"x"}'),
    ],
    [
      'that are links to elsewhere',
      async () =>
        symlink(await renamed(await leftBehind(), 'elsewhere'), join(parent, 'tabgrad-storage-AAAAAA')),
    ],
  ];

  it.each(kept)('%s stay', async (_, make) => {
    await make();
    const before = await readdir(parent, { recursive: true });
    expect(await sweepTemporaryFolders(parent)).toEqual([]);
    expect(await readdir(parent, { recursive: true })).toEqual(before);
  });

  it('of a killed coordinator are gone when the next one has started', async () => {
    const killed = await startCoordinator(parent);
    const [left] = await readdir(parent);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await readdir(parent)).toEqual([left]);
    const next = await startCoordinator(parent);
    expect(await readdir(parent)).not.toContain(left);
    next.kill('SIGKILL');
    await once(next, 'exit');
  });
});

async function renamed(folder: string, name: string): Promise<string> {
  await rename(folder, join(parent, name));
  return join(parent, name);
}

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
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  expect(line).toBe('up');
  return child;
}
