// `tabgrad tune` as users run it.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../../coordinator/config/loadConfig.ts';
import { choice, loguniform, randint } from '../../../coordinator/tune/space/domain.ts';
import { declaredSpace } from '../../../coordinator/tune/tuneConfigSchema.ts';
import { runTabgrad } from '../cli/runTabgrad.ts';

let folder: string;

const config = {
  trainer: 'gbdt',
  data: { train: 'rows.csv', testSize: 0.25, seed: 1 },
  labelColumn: 'big',
  params: { objective: 'binary:logistic', eval_metric: ['logloss', 'auc'] },
  numBoostRound: 3,
  scalingConfig: { device: 'cpu' },
  tune: { paramSpace: { max_depth: { grid: [1, 3] } }, metric: 'valid-auc', mode: 'max' },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-tune-cli-'));
  const rows = Array.from({ length: 400 }, (_, i) => [
    i % 11,
    (i * 7) % 13,
    (i % 11) * ((i * 7) % 13) > 30 ? 1 : 0,
  ]);
  await writeFile(join(folder, 'rows.csv'), `a,b,big\n${rows.map((row) => row.join(',')).join('\n')}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(name: string, change: Record<string, unknown>, ...words: string[]) {
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...config, ...change }));
  return runTabgrad(['tune', `${name}.json`, ...words], { cwd: folder });
}

describe('tabgrad tune', () => {
  it('makes the trials of the config, names the best, and has nothing left to do with --resume', async () => {
    const ended = await run('depths', {});
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    const lines = ended.stdout.trim().split('\n');
    expect(lines[0]).toBe('experiment depths');
    expect(lines.filter((line) => line.startsWith('trial '))).toHaveLength(2);
    expect(lines).toContain('best of 2 trials: trial 1  {"params.max_depth":3}');
    expect(lines).toContain('model    results/depths/trial_00001/checkpoints/3/model.json');

    const again = await run('depths', {}, '--resume', '--json');
    const values = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(values.map(({ type }) => type)).toEqual(['started', 'result']);
    expect(values[1]).toMatchObject({ best: { trial: 'trial_00001', params: { 'params.max_depth': 3 } } });

    const plot = await runTabgrad(['plot', 'results/depths', '--output', 'depths.svg'], { cwd: folder });
    expect(plot).toEqual({ code: 0, stdout: 'wrote depths.svg\n', stderr: '' });
    const picture = await readFile(join(folder, 'depths.svg'), 'utf8');
    expect(picture).toMatch(
      /valid-auc of each trial: 2 trials, more is better; best is trial 1 with 0\.\d+; 0 without/,
    );
    expect(picture).toMatch(/<title>trial 1: params\.max_depth 3; valid-auc 0\.\d+<\/title>/);
  });

  it('fails when trials failed, and names the best of the others all the same', async () => {
    const bounds = { paramSpace: { max_depth: { grid: [2, 0] } }, metric: 'valid-auc', mode: 'max' };
    const ended = await run('bounds', { tune: bounds });
    expect(ended.stderr).toContain('1 of 2 trials failed; --resume tries them again.');
    expect(ended.stdout).toContain('best of 2 trials, 1 failed: trial 0  {"params.max_depth":2}');
    expect(ended.code).toBe(1);
  });

  it.each([
    ['no-tune', { tune: undefined }, 'tune is missing'],
    ['typo', { tune: { ...config.tune, paramSpace: { max_dept: { grid: [1] } } } }, 'did you mean max_depth'],
  ])('refuses the config %s', async (name, change, message) => {
    const ended = await run(name, change);
    expect(ended.stderr).toContain(message);
    expect(ended.code).not.toBe(0);
  });

  it.each([
    [
      { paramSpace: { max_depth: { gird: [1] } } },
      'paramSpace.max_depth.gird is no kind of search space; did you mean grid?',
    ],
    [
      { paramSpace: { max_depth: { gridSearch: [1] } } },
      'paramSpace.max_depth.gridSearch is no kind of search space; did you mean grid?',
    ],
    [{ paramSpace: { eta: { uniform: [1] } } }, 'paramSpace.eta.uniform is [1]; expected [low, high].'],
    [{ metric: undefined }, 'tune.metric is missing; expected text'],
    [{ sheduler: 'asha' }, 'tune.sheduler is not an option; did you mean scheduler?'],
    [
      { searcher: 'tpee' },
      'tune.searcher is "tpee"; expected one of random, grid, tpe, or an object with keys; did you mean tpe?',
    ],
  ])('says what is wrong with %j', (change, message) => {
    const check = (): unknown =>
      declaredSpace(
        checkConfig({ ...config, tune: { ...config.tune, ...change } }, 'c.json').tune!.paramSpace,
        'gbdt',
      );
    expect(check).toThrow(message);
  });

  it('takes parameters by name beside other settings of the trainer', () => {
    const declared = {
      eta: { loguniform: [0.01, 1] },
      params: { max_depth: { randint: [2, 9] } },
      numBoostRound: { choice: [10, 20] },
    };
    const space = declaredSpace(declared, 'gbdt');
    expect(space).toEqual({
      params: { eta: loguniform(0.01, 1), max_depth: randint(2, 9) },
      numBoostRound: choice([10, 20]),
    });
  });
});
