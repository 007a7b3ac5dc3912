// Experiments that go on after the end of their process, with functions of the owner's own as trials.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gridSearch, sampleFrom, Tuner, uniform, type TrialContext } from '../../../coordinator/index.ts';
import { approach, lines, tunerIn, type Point } from './approachingTrials.ts';

const storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-'));
afterAll(() => rmSync(storagePath, { recursive: true }));
const tuner = tunerIn(storagePath);

describe('Tuner.restore', () => {
  /** Runs until trial 1 is in the middle, then calls off. */
  async function interrupted(name: string): Promise<string> {
    const off = new AbortController();
    const trainable = async (config: Point, context: TrialContext): Promise<void> => {
      const report: TrialContext['report'] = (metrics, checkpoint) => {
        if (context.index === 1 && metrics['step'] === 4) off.abort();
        return context.report(metrics, metrics['step'] === 4 ? undefined : checkpoint);
      };
      await approach(config, { ...context, report });
    };
    const first = tuner(name, { trainable }, { maxConcurrentTrials: 1 });
    await expect(first.fit({ signal: off.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    return path.join(storagePath, name);
  }

  it('goes on where it was, in another folder too, without running finished trials again', async () => {
    const before = await interrupted('moved-from');
    const after = path.join(storagePath, 'moved-to');
    renameSync(before, after);
    const begun: [number, number][] = [];
    const trainable = (config: Point, context: TrialContext): unknown => {
      begun.push([context.index, context.iteration]);
      return approach(config, context);
    };
    const grid = await (await Tuner.restore(after, { trainable, runConfig: { verbose: 0 } })).fit();
    expect(begun).toEqual([
      [1, 3],
      [2, 0],
      [3, 0],
      [4, 0],
    ]);
    const whole = await tuner('uninterrupted', {}).fit();
    const plain = (table: ReturnType<typeof grid.getTable>) =>
      table.map((row) => ({ ...row, timeTotalS: 0 }));
    expect(plain(grid.getTable())).toEqual(plain(whole.getTable()));
    expect(grid.get(1)?.metricsTable).toEqual(whole.get(1)?.metricsTable);
  });

  it('gives the grid of an experiment that is finished, and runs nothing', async () => {
    await tuner('finished', {}).fit();
    const trainable = (): never => {
      throw new Error('not again');
    };
    const grid = await (await Tuner.restore(path.join(storagePath, 'finished'), { trainable })).fit();
    expect(grid.getBestResult().params).toEqual({ x: 3 });
    expect(grid.errors).toEqual([]);
  });

  it.each([
    ['resumeErrored', 5],
    ['restartErrored', 0],
  ] as const)('takes failed trials up again with %s', async (option, from) => {
    const failing = async (config: Point, { report }: TrialContext): Promise<void> => {
      for (let i = 1; i <= 5; i++) await report({ loss: 1, step: i }, { i });
      if (config.x === 2) throw new Error('once');
    };
    await tuner(option, { trainable: failing }).fit();
    const begun: [number, number][] = [];
    const trainable = (config: Point, context: TrialContext): unknown => {
      begun.push([context.index, context.iteration]);
      return approach(config, context);
    };
    const folder = path.join(storagePath, option);
    expect((await (await Tuner.restore(folder, { trainable })).fit()).errors).toHaveLength(1);
    expect(begun).toEqual([]);
    const grid = await (await Tuner.restore(folder, { trainable, [option]: true })).fit();
    expect(begun).toEqual([[2, from]]);
    expect(grid.errors).toEqual([]);
    expect(grid.get(2)?.trainingIteration).toBe(10);
  });

  it('will not write over an experiment, be it finished or not', async () => {
    const code = 'TUNE_EXPERIMENT_INVALID';
    await interrupted('kept');
    const going = expect.stringMatching(/not finished; go on with it by Tuner\.restore/) as string;
    await expect(tuner('kept', {}).fit()).rejects.toMatchObject({ code, message: going });
    const first = await tuner('whole', {}).fit();
    const whole = expect.stringMatching(/the finished experiment of 5 trials; read it by/) as string;
    await expect(tuner('whole', { paramSpace: { x: gridSearch([1]) } }).fit()).rejects.toMatchObject({
      code,
      message: whole,
    });
    const kept = await Tuner.restore(path.join(storagePath, 'whole'), { trainable: approach });
    expect((await kept.fit()).getTable()).toEqual(first.getTable());
  });

  it('leaves an experiment alone on which another process is at work, until that one is gone', async () => {
    const folder = await interrupted('locked');
    const program = path.join(import.meta.dirname, 'fixtures/holdLock.ts');
    const holder = spawn(process.execPath, ['--import', 'tsx', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    });
    const gone = once(holder, 'exit');
    await once(holder.stdout, 'data');
    const message = expect.stringMatching(/locked is in use: another process/);
    const inUse = { code: 'TUNE_EXPERIMENT_INVALID', message };
    await expect(tuner('locked', {}).fit()).rejects.toMatchObject(inUse);
    await expect(Tuner.restore(folder, { trainable: approach })).rejects.toMatchObject(inUse);
    holder.kill('SIGKILL');
    await gone;
    expect((await (await Tuner.restore(folder, { trainable: approach })).fit()).length).toBe(5);
  });

  it('survives a torn last line of reports', async () => {
    const folder = await interrupted('torn');
    const file = path.join(folder, 'reports.jsonl');
    writeFileSync(file, `${lines(file).join('\n')}\n{"trial":1,"itera`);
    const grid = await (await Tuner.restore(folder, { trainable: approach })).fit();
    expect(grid.get(1)?.metricsTable).toHaveLength(10);
  });

  it.each([
    ['nothing', undefined, /holds no experiment/],
    ['no JSON', '{', /is damaged/],
    ['another JSON', '{"format":2}', /is no experiment of this version/],
  ])('refuses a folder with %s', async (name, text, message) => {
    const folder = mkdtempSync(path.join(storagePath, 'bad-'));
    if (text !== undefined) writeFileSync(path.join(folder, 'experiment.json'), text);
    await expect(Tuner.restore(folder, { trainable: approach })).rejects.toMatchObject({
      code: 'TUNE_EXPERIMENT_INVALID',
      message: expect.stringMatching(message),
    });
    expect(name).toBeDefined();
  });

  it('refuses another search space, and asks for one that its record could not hold', async () => {
    const folder = await interrupted('other-space');
    const other = { x: uniform(0, 1) };
    await expect(Tuner.restore(folder, { trainable: approach, paramSpace: other })).rejects.toThrow(
      /expected x: grid, given x: uniform\(0, 1\)/,
    );
    await tuner('function-space', { paramSpace: { x: sampleFrom(() => 3) } }).fit();
    await expect(
      Tuner.restore(path.join(storagePath, 'function-space'), { trainable: approach }),
    ).rejects.toThrow(/give paramSpace to Tuner.restore/);
  });
});
