// Owners' processes that are killed while their runs go on at a coordinator: who attaches gets what they would have had.

import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DataParallelTrainer } from '../../coordinator/train/neural/dataParallelTrainer.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { runTabgrad, startNode, startTabgrad, type Running } from '../coordinator/cli/runTabgrad.ts';
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
afterEach(() => swarm.dismiss());
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
    .map((line) => JSON.parse(line, withoutSpeed) as { round: number; metrics: object })
    .map(({ round, metrics }) => ({ round, metrics }));
const withoutSpeed = (key: string, value: unknown): unknown =>
  key === 'examplesPerSecond' ? undefined : value;

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
  const calm = await json('calm', 'result.json');
  const own = {
    name: 'killed',
    runId: expect.any(String),
    timings: expect.anything(),
    workers: expect.anything(),
  };
  expect(await json('killed', 'result.json')).toEqual({ ...calm, ...own });
  const rounds = calm['rounds'] as number;
  expect(rounds).toBeLessThan(60);
  const model = `checkpoints/${rounds}/model.json`;
  expect(await read('killed', model)).toBe(await read('calm', model));
  expect(await progress('killed')).toEqual(await progress('calm'));

  const none = await train(config, '--attach');
  expect(none.stderr).toMatch(/^error RUN_NOT_ATTACHED: .*results\/killed has no run\.json/);
});

it('a run that ended without its owner, after going on from a model, gives the same bytes', async () => {
  const { earlyStoppingRounds: _, ...longer } = trees;
  const [last = ''] = await readdir(inRun('calm', 'checkpoints'));
  const from = { ...longer, numBoostRound: 20, xgbModel: inRun('calm', `checkpoints/${last}`) };
  await orphan(startTabgrad(['train', await configOf('over', from)], { cwd: folder, env }), 'waiting');
  const { runId } = (await json('over', 'run.json'))['facts'] as { runId: string };
  const followed = await runTabgrad(['logs', runId, '--follow', '--quiet'], { env });
  expect(followed.code).toBe(0);
  expect(await train('over.json', '--attach', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await train(await configOf('calmOver', from), '--quiet')).toMatchObject({ code: 0 });
  const { rounds } = await json('calmOver', 'result.json');
  const model = `checkpoints/${String(rounds)}/model.json`;
  expect(await read('over', model)).toBe(await read('calmOver', model));
});

it('a run of nets whose owner was killed gives the same weights', async () => {
  const example = fileURLToPath(new URL('../../examples/neural', import.meta.url));
  for (const file of ['moons.csv', 'moons.model.json']) await cp(join(example, file), join(folder, file));
  const net = {
    trainer: 'neural',
    data: { train: 'moons.csv', testSize: 0.25 },
    labelColumn: 'moon',
    featureColumns: ['x', 'y'],
    model: 'moons.model.json',
    loss: 'sparseCategoricalCrossentropy',
    numEpochs: 5,
    globalBatchSize: 50,
    reportEverySteps: 6,
  };
  await orphan(startTabgrad(['train', await configOf('net', net)], { cwd: folder, env }), 'waiting');
  expect(await train('net.json', '--attach', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await train(await configOf('calmNet', net), '--quiet')).toMatchObject({ code: 0, stderr: '' });
  expect(await readdir(inRun('net', 'checkpoints'))).toEqual(['30']);
  const files = await readdir(inRun('net', 'checkpoints/30'));
  expect(files).toContain('weights.bin');
  // checkpoint.json has how fast the run was.
  for (const file of files.filter((name) => name !== 'checkpoint.json')) {
    const path = `checkpoints/30/${file}`;
    expect(await readFile(inRun('net', path)), file).toEqual(await readFile(inRun('calmNet', path)));
  }
  expect(await progress('net')).toEqual(await progress('calmNet'));
  expect(existsSync(inRun('net', 'run.json'))).toBe(false);
});

it("a run of an owner's loop is followed by attach, and by that of no other trainer", async () => {
  const script = `
    import { DataParallelTrainer } from ${JSON.stringify(new URL('../../dist/node/index.js', import.meta.url).href)};
    const trainLoopPerWorker = async ({ start }, { report, tf }) => {
      for (let i = 0; i < 3; i++) await report({ loss: start - i }, { tensors: { w: tf.tensor1d([i, start]) } });
    };
    await new DataParallelTrainer({
      trainLoopPerWorker,
      trainLoopConfig: { start: 7 },
      datasets: { train: { x: { values: new Float32Array(4), shape: [] } } },
      runConfig: { name: 'loop', callbacks: [{ onEvent: ({ type }) => console.log(type) }] },
    }).fit();`;
  await writeFile(join(folder, 'owner.mjs'), script);
  await orphan(startNode(['owner.mjs'], { cwd: folder, env }), 'waiting');
  const foreign = await train(await configOf('loop', trees), '--attach');
  expect(foreign.stderr).toMatch(
    /^error RUN_NOT_ATTACHED: .* run of the trainer "loop", expected one of "gbdt"/,
  );

  const { token, url } = { token: swarm.coordinator.tokens.admin, url: swarm.coordinator.url };
  const result = await DataParallelTrainer.attach(join(folder, 'results/loop'), { token, url });
  expect(result.metricsTable).toEqual([7, 6, 5].map((loss, round) => ({ round, loss })));
  expect(result.checkpoints.map(({ path }) => path)).toEqual(
    [1, 2, 3].map((reports) => inRun('loop', `checkpoints/${reports}`)),
  );
  expect(await json('loop', 'result.json')).toMatchObject({
    status: 'finished',
    name: 'loop',
    params: { trainLoopConfig: { start: 7 }, seed: 0 },
  });
});
