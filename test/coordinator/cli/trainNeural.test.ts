import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadAnyConfig } from '../../../coordinator/config/loadConfig.ts';
import { readLayersModel } from '../../../coordinator/checkpoint/modelSource.ts';
import { runTabgrad } from './runTabgrad.ts';

let folder: string;
let example: Record<string, unknown>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-cli-neural-'));
  await cp(fileURLToPath(new URL('../../../examples/neural', import.meta.url)), folder, { recursive: true });
  example = parse(await readFile(join(folder, 'moons.yaml'), 'utf8')) as typeof example;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const json = async (path: string) =>
  JSON.parse(await readFile(join(folder, path), 'utf8')) as Record<string, unknown>;

describe('training a net from a config file', () => {
  it('trains the example on two workers, and leaves model and record as trees do', async () => {
    const ended = await runTabgrad(['train', 'moons.yaml', '--profile'], { cwd: folder });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^step 360\/360 /m);
    expect(ended.stdout).toMatch(/^finished: 360 steps in /m);
    expect(ended.stdout).toContain('model    results/moons/checkpoints/360/model.json');
    const result = await json('results/moons/result.json');
    expect(result).toMatchObject({
      status: 'finished',
      rounds: 360,
      datasetRows: { train: 300, valid: 100 },
      workers: [{ runtime: 'node' }, { runtime: 'node' }],
    });
    expect((result['metrics'] as Record<string, number>)['valid-accuracy']).toBeGreaterThan(0.95);
    // Where the last step's time went: a table here, and two traces of a form that viewers open.
    expect(ended.stdout).toMatch(/share +ms +runs .* op\n/);
    const profile = (await json('results/moons/profile.json')) as {
      traceEvents: { cat?: string; dur: number }[];
    };
    expect(new Set(profile.traceEvents.map(({ cat }) => cat))).toEqual(
      new Set(['forward', 'backward', 'update']),
    );
    const { traceEvents } = (await json('results/moons/timeline.json')) as {
      traceEvents: { cat?: string }[];
    };
    expect(new Set(traceEvents.map(({ cat }) => cat))).toEqual(
      new Set([undefined, 'backward', 'exchange', 'update']),
    );
    const lines = (await readFile(join(folder, 'results/moons/progress.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ round: 359 });
  });

  it('searches for the best net of a config, as it does for trees', async () => {
    const ended = await runTabgrad(['tune', 'moonsTune.yaml', '--json'], { cwd: folder });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const result = JSON.parse(ended.stdout.trim().split('\n').at(-1)!) as {
      best: { params: Record<string, number>; metrics: Record<string, number>; checkpoint: string };
      trials: { status: string; trainingIteration: number }[];
    };
    expect(result.trials).toHaveLength(6);
    expect(new Set(result.trials.map(({ status }) => status))).toEqual(new Set(['finished']));
    expect(Math.max(...result.trials.map(({ trainingIteration }) => trainingIteration))).toBe(20);
    expect(Math.min(...result.trials.map(({ trainingIteration }) => trainingIteration))).toBeLessThan(20);
    expect(Object.keys(result.best.params)).toEqual(['optimizer.learningRate', 'globalBatchSize']);
    expect(result.best.metrics['valid-accuracy']).toBeGreaterThan(0.85);
    expect(readLayersModel(join(result.best.checkpoint, 'model.json')).weights?.size).toBeGreaterThan(0);
  });

  it('predicts a file with the net, here and on workers alike', async () => {
    const words = ['predict', '--checkpoint', 'results/moons/checkpoints/360', '--data', 'moons.csv'];
    const alone = await runTabgrad([...words, '--out', 'alone.csv', '--quiet'], { cwd: folder });
    expect(alone).toEqual({ code: 0, stdout: '', stderr: '' });
    const text = await readFile(join(folder, 'alone.csv'), 'utf8');
    const [head, ...rows] = text.trim().split('\n');
    expect(head).toBe('x,y,moon,predictions_0,predictions_1');
    const right = rows.filter((row) => {
      const [, , moon, first, second] = row.split(',').map(Number);
      return moon === (second! > first! ? 1 : 0);
    });
    expect(right.length / rows.length).toBeGreaterThan(0.95);
    const others = ['--out', 'others.csv', '--quiet', '--workers', '1', '--batch-size', '150'];
    expect(await runTabgrad([...words, ...others], { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(folder, 'others.csv'), 'utf8')).toBe(text);
  });

  it('names the file and the key of a wrong value', async () => {
    await writeFile(join(folder, 'wrong.yaml'), stringify({ ...example, optimizer: { name: 'adma' } }));
    const { code, stderr } = await runTabgrad(['train', 'wrong.yaml'], { cwd: folder });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/CONFIG_INVALID.*wrong\.yaml: optimizer\.name is "adma".*did you mean adam/);
  });

  it.each([
    [{ trainer: 'nural' }, 'trainer is "nural"; expected one of gbdt, neural; did you mean neural?'],
    [{ loss: 'categoricalCrossEntropy' }, 'did you mean categoricalCrossentropy?'],
    [
      { optimizer: { name: 'adam', learningRate: -1 } },
      'optimizer.learningRate is -1; expected a number above 0',
    ],
    [
      { optimizer: { name: 'adam', learnRate: 1 } },
      'optimizer.learnRate is not an option; did you mean learningRate?',
    ],
    [{ model: { resnet18: { stem: '5x5' } } }, 'model.resnet18.stem is "5x5"; expected one of 7x7, 3x3'],
    [{ numBoostRound: 3 }, 'numBoostRound is not an option'],
    [{ maxSteps: 3 }, 'maxSteps and numEpochs exclude each other'],
  ])('refuses %j, also inside a key that has several forms', async (change, message) => {
    await writeFile(join(folder, 'wrong.json'), JSON.stringify({ ...example, ...change }));
    await expect(loadAnyConfig('wrong.json', folder)).rejects.toThrow(message);
  });
});
