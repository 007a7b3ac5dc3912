// Owners' processes that are killed while their runs go on at a coordinator: who attaches gets what they would have had.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../setup/seededRandom.ts';
import { runTabgrad, startTabgrad, type Running } from '../coordinator/cli/runTabgrad.ts';
import { Swarm } from './swarm.ts';

let swarm: Swarm;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  swarm = await Swarm.start();
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-attached-'));
  env = { TABGRAD_URL: swarm.coordinator.url, TABGRAD_ADMIN_TOKEN: swarm.coordinator.tokens.admin };
  const random = seededRandom(5);
  const rows = Array.from({ length: 600 }, () => {
    const [a, b] = [random() * 10, random() * 10];
    const isNoise = random() < 0.3;
    return `${a},${b},${'xyz'[Math.floor(random() * 3)]},${Number(isNoise ? random() < 0.5 : a * b > 25)}`;
  });
  await writeFile(join(folder, 'rows.csv'), `a,b,kind,big\n${rows.join('\n')}\n`);
});
afterAll(async () => {
  await swarm.close();
  await rm(folder, { recursive: true, force: true });
});

const inRun = (name: string, file: string): string => join(folder, 'results', name, file);
const read = (name: string, file: string): Promise<string> => readFile(inRun(name, file), 'utf8');
const json = async (name: string, file: string) =>
  JSON.parse(await read(name, file)) as Record<string, unknown>;
/** Lines of progress without what is measured in time. */
const progress = async (name: string) =>
  (await read(name, 'progress.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { round: number; metrics: object })
    .map(({ round, metrics }) => ({ round, metrics }));

async function configOf(name: string, config: object): Promise<string> {
  const file = `${name}.json`;
  await writeFile(join(folder, file), JSON.stringify({ ...config, runConfig: { name } }));
  return file;
}

const train = (...words: string[]) => runTabgrad(['train', ...words], { cwd: folder, env });

/** Ends an owner's process while its run waits for a worker, and then gives the run one. */
async function orphan(owner: Running, waiting: string): Promise<void> {
  await owner.printed(waiting);
  owner.signal('SIGKILL');
  await owner.ended;
  await swarm.add('node');
}

const trees = {
  trainer: 'gbdt',
  data: { train: 'rows.csv', testSize: 0.25, seed: 1 },
  labelColumn: 'big',
  params: { objective: 'binary:logistic', max_depth: 4, eta: 0.5, eval_metric: 'logloss' },
  numBoostRound: 60,
  earlyStoppingRounds: 5,
};

it('a run of trees whose owner was killed gives the bytes of one that was not, cut by early stopping', async () => {
  const config = await configOf('killed', trees);
  await orphan(startTabgrad(['train', config], { cwd: folder, env }), 'waiting');
  expect(await json('killed', 'run.json')).toMatchObject({ trainer: 'gbdt', url: swarm.coordinator.url });
  expect(await read('killed', 'run.json')).not.toContain(swarm.coordinator.tokens.admin);

  const again = await train(config);
  expect(again.stderr).toMatch(/^error RUN_FOLDER_TAKEN: .*\(tabgrad train --attach\)/);
  const attached = await train(config, '--attach', '--quiet');
  expect(attached).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(existsSync(inRun('killed', 'run.json'))).toBe(false);

  expect(await train(await configOf('calm', trees), '--quiet')).toMatchObject({ code: 0, stderr: '' });
  const { runId, name, timings, workers, ...calm } = await json('calm', 'result.json');
  expect(await json('killed', 'result.json')).toMatchObject(calm);
  const rounds = calm['rounds'] as number;
  expect(rounds).toBeLessThan(60);
  const model = `checkpoints/${rounds}/model.json`;
  expect(await read('killed', model)).toBe(await read('calm', model));
  expect(await progress('killed')).toEqual(await progress('calm'));

  const none = await train(config, '--attach');
  expect(none.stderr).toMatch(/^error RUN_NOT_ATTACHED: .*results\/killed has no run\.json/);
  await swarm.dismiss();
});

it('a run that ended without its owner, after going on from a model, gives the same bytes', async () => {
  const { earlyStoppingRounds: _, ...longer } = trees;
  const [last = ''] = await readdir(inRun('calm', 'checkpoints'));
  const from = { ...longer, numBoostRound: 20, xgbModel: inRun('calm', `checkpoints/${last}`) };
  await orphan(startTabgrad(['train', await configOf('over', from)], { cwd: folder, env }), 'waiting');
  const { runId } = (await json('over', 'run.json'))['facts'] as { runId: string };
  const followed = await runTabgrad(['logs', runId, '--quiet'], { env });
  expect(followed.code).toBe(0);
  expect(await train('over.json', '--attach', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await train(await configOf('calmOver', from), '--quiet')).toMatchObject({ code: 0 });
  const { rounds } = await json('calmOver', 'result.json');
  const model = `checkpoints/${String(rounds)}/model.json`;
  expect(await read('over', model)).toBe(await read('calmOver', model));
  await swarm.dismiss();
});
