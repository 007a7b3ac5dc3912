import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTabgrad } from './runTabgrad.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-init-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** As an install would: the package where Node looks for it. */
async function install(project: string): Promise<void> {
  await mkdir(join(project, 'node_modules'), { recursive: true });
  await symlink(resolve('.'), join(project, 'node_modules', 'tabgrad'));
}

const lossOf = (printed: string): number => Number(/'valid-logloss': ([\d.]+)/.exec(printed)?.[1]);

describe('tabgrad init', () => {
  it('writes a project whose script and config train the same model as printed', async () => {
    const { code, stdout, stderr } = await runTabgrad(['init', 'My Points'], { cwd: folder });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('node train.mjs');
    const project = join(folder, 'My Points');
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-points',
      dependencies: { tabgrad: expect.stringMatching(/^\^\d+\.\d+\.\d+$/) as string },
    });
    await install(project);
    const script = await run(process.execPath, ['train.mjs'], { cwd: project, timeout: 120_000 });
    // One label in twenty is wrong: no model can be far below 0.2.
    expect(lossOf(script.stdout)).toBeGreaterThan(0.15);
    expect(lossOf(script.stdout)).toBeLessThan(0.4);
    expect(script.stdout).toContain('predictions');
    const model = join(project, 'results/points/checkpoints/20/model.json');
    const written = await readFile(model, 'utf8');
    const trained = await runTabgrad(['train', 'train.yaml'], { cwd: project });
    expect([trained.code, trained.stderr]).toEqual([0, '']);
    expect(await readFile(model, 'utf8')).toBe(written);
    const tuned = await runTabgrad(['tune', 'train.yaml'], { cwd: project });
    expect([tuned.code, tuned.stderr]).toEqual([0, '']);
    expect(tuned.stdout).toContain('best of 3 trials');
  });

  it('writes over nothing: what is there is named, and the rest is not written', async () => {
    const project = join(folder, 'taken');
    await mkdir(project);
    await writeFile(join(project, 'train.yaml'), 'mine');
    const { code, stdout, stderr } = await runTabgrad(['init', 'taken', '--json'], { cwd: folder });
    expect([code, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toMatchObject({
      type: 'error',
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('train.yaml already') as string,
    });
    expect(await readFile(join(project, 'train.yaml'), 'utf8')).toBe('mine');
    await expect(readFile(join(project, 'package.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says that a folder can not be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const { code, stderr } = await runTabgrad(['init', 'file/project'], { cwd: folder });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^error DATA_WRITE_FAILED/);
  });
});
