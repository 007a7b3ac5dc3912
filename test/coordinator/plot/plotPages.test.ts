// Plots of real files, opened in a real browser: they ask for nothing, complain of nothing, and nothing leaves its picture.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { unpackChromium } from '../../../coordinator/cluster/local/chromium.ts';
import { plotResult, withPlot } from '../../../coordinator/train/plot/plotResult.ts';
import { readRun } from '../../../coordinator/train/plot/readRun.ts';
import { plotTrials } from '../../../coordinator/tune/plot/plotTrials.ts';
import { scratchFolder } from '../data/support/scratch.ts';

const path = scratchFolder();
let browser: Browser;
let trees: Checkpoint;

beforeAll(async () => {
  const known = new URL('../../data/xgboostImportance.json', import.meta.url);
  const models = JSON.parse(readFileSync(known, 'utf8')) as Record<string, { readonly model: string }>;
  writeFileSync(path('model.json'), models['binary-logistic']!.model);
  trees = new Checkpoint(path('model.json'));
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
    timeout: 60_000,
  });
});
afterAll(() => browser?.close());

/** Many rounds, values that are no numbers, and names that are no good. */
const metricsTable = Array.from({ length: 10_000 }, (_, round) => ({
  round,
  'train-auc': 1 - 1 / (round + 1),
  'valid-auc': round === 5000 ? NaN : 0.9 - 0.4 / (round + 1),
  '<img src=x onerror=alert(1)>': round % 7,
  [`long ${'name '.repeat(40)}`]: -round,
  日本語の損失: Infinity,
}));

const trials = Array.from({ length: 300 }, (_, index) => ({
  index,
  status: index % 10 === 3 ? 'errored' : 'finished',
  params: {
    'params.max_depth': index % 9,
    'params.eta': 10 ** -(index % 5),
    booster: ['gbtree', '</title><script>alert(1)</script>', '長い名前'.repeat(20)][index % 3],
    ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`parameter number ${i}`, index * i])),
  },
  metricsTable: [1, 2, 3].map((trainingIteration) => ({
    trainingIteration,
    auc: (index % 77) * trainingIteration,
  })),
}));

const trial = (index: number) => ({
  ...trials[index]!,
  metricsTable: trials[index]!.metricsTable.slice(0, 1),
});

describe('Plots in a browser', () => {
  const files = {
    run: () =>
      plotResult({ name: 'flights', metricsTable, checkpoint: trees }, path('run.html'), { logScale: true }),
    picture: () => plotResult({ name: '<b>&', metricsTable, checkpoint: trees }, path('run.svg')),
    empty: () => plotResult({ name: 'empty', metricsTable: [] }, path('empty.html')),
    once: () => plotResult({ name: 'once', metricsTable: metricsTable.slice(0, 1) }, path('once.html')),
    experiment: () => plotTrials({ name: 'tune', metric: 'auc', mode: 'max', trials }, path('tune.html')),
    trial: () => plotTrials({ name: 'one', metric: 'auc', mode: 'min', trials: [trial(1)] }, path('one.svg')),
    failed: () =>
      plotTrials({ name: 'none', metric: 'auc', mode: 'min', trials: [trial(3)] }, path('none.html')),
  } as const;

  it.each(Object.keys(files) as (keyof typeof files)[])('%s stands by itself, and fits', async (name) => {
    const file = await files[name]();
    const page = await browser.newPage({ viewport: { width: 360, height: 640 }, colorScheme: 'dark' });
    const asked: string[] = [];
    const said: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    page.on('dialog', (dialog) => said.push(dialog.message()));
    const url = pathToFileURL(file).href;
    await page.goto(url);
    expect(asked.filter((one) => !one.startsWith('data:'))).toEqual([url]);
    expect(said).toEqual([]);
    const shown = await page.evaluate(() => {
      const outside: string[] = [];
      const pictures = [...document.querySelectorAll<SVGElement>('svg[role=img]')];
      for (const picture of pictures) {
        const frame = picture.getBoundingClientRect();
        for (const part of picture.querySelectorAll('text, path, line, circle, rect')) {
          const { left, right, top, bottom } = part.getBoundingClientRect();
          const isIn =
            left > frame.left - 1 &&
            right < frame.right + 1 &&
            top > frame.top - 1 &&
            bottom < frame.bottom + 1;
          if (!isIn) outside.push(part.textContent || part.outerHTML);
        }
      }
      const isPage = document.contentType === 'text/html';
      return {
        pictures: pictures.length,
        outside,
        tooWide: isPage ? document.documentElement.scrollWidth - window.innerWidth : 0,
        scripts: document.querySelectorAll('script, img, iframe').length,
      };
    });
    expect(shown).toMatchObject({ outside: [], tooWide: 0, scripts: 0 });
    expect(shown.pictures).toBeGreaterThan(0);
    await page.close();
  });
});

describe('plotResult', () => {
  const result = { name: 'flights', metricsTable: metricsTable.slice(0, 3) };

  it('refuses other endings, unknown options, and options without effect, before anything is written', async () => {
    const refused = (file: string, options: object) => plotResult(result, path(file), options);
    await expect(refused('a.png', {})).rejects.toMatchObject({
      code: 'PLOT_ARGUMENT',
      place: { file: path('a.png') },
    });
    await expect(refused('a.svg', { logscale: true })).rejects.toThrow(/logscale.*did you mean logScale/);
    await expect(refused('a.svg', { metrics: [] })).rejects.toMatchObject({ code: 'PLOT_ARGUMENT' });
    await expect(refused('a.svg', { importance: ['gain'] })).rejects.toThrow(
      'importance has no effect: "flights" has no model of trees.',
    );
    await expect(refused('missing/a.svg', {})).rejects.toMatchObject({ code: 'RESULT_WRITE_FAILED' });
    expect(() => readFileSync(path('a.svg'))).toThrow('ENOENT');
  });

  it('is a method of results that is no part of their JSON, of copies and of comparisons', async () => {
    const withMethod = withPlot({ ...result });
    expect(withMethod).toEqual(result);
    expect(JSON.stringify(withMethod)).toBe(JSON.stringify(result));
    expect(Object.keys({ ...withMethod })).toEqual(Object.keys(result));
    expect(await withMethod.plot(path('method.svg'), { title: 'by method' })).toBe(path('method.svg'));
    expect(readFileSync(path('method.svg'), 'utf8')).toContain('<title id="plot-title">by method</title>');
  });
});

describe('A folder of a run', () => {
  const line = (round: number, auc: number | null): string =>
    `${JSON.stringify({ round, metrics: { auc } })}\n`;

  it('gives its curve, what is no number included, without a result too', async () => {
    mkdirSync(path('broken'));
    writeFileSync(path('broken/progress.jsonl'), `${line(0, 0.5)}${line(1, null)}{"round":2,"met`);
    expect(await readRun(path('broken'))).toEqual({
      name: 'broken',
      metricsTable: [
        { round: 0, auc: 0.5 },
        { round: 1, auc: NaN },
      ],
      datasetRows: {},
      checkpoint: undefined,
    });
  });

  it('of a run that went on from a checkpoint has one curve of both', async () => {
    mkdirSync(path('resumed'));
    writeFileSync(
      path('resumed/progress.jsonl'),
      [0, 1, 2, 3, 0, 1].map((round, i) => line(round, i)).join(''),
    );
    const { metricsTable: unfinished } = await readRun(path('resumed'));
    expect(unfinished.map(({ round, auc }) => [round, auc])).toEqual([0, 1, 2, 3, 4, 5].map((i) => [i, i]));
    // From the checkpoint after two rounds.
    writeFileSync(path('resumed/result.json'), JSON.stringify({ rounds: 4, datasetRows: {}, params: {} }));
    const { metricsTable: finished } = await readRun(path('resumed'));
    expect(finished.map(({ round, auc }) => [round, auc])).toEqual([
      [0, 0],
      [1, 1],
      [2, 4],
      [3, 5],
    ]);
  });

  it('that holds nothing is refused', async () => {
    mkdirSync(path('nothing'));
    await expect(readRun(path('nothing'))).rejects.toMatchObject({ code: 'PLOT_ARGUMENT' });
  });
});

describe('plotTrials', () => {
  const experiment = { name: 'tune', metric: undefined, mode: undefined, trials: trials.slice(0, 3) };

  it('needs a metric, and an end of it that is best', async () => {
    const file = path('t.svg');
    await expect(plotTrials(experiment, file)).rejects.toThrow(/^metric is missing/);
    await expect(plotTrials(experiment, file, { metric: 'au' })).rejects.toThrow('did you mean auc?');
    // The name says which.
    expect(await plotTrials(experiment, file, { metric: 'auc' })).toBe(file);
    const own = {
      ...experiment,
      trials: [{ ...trial(0), metricsTable: [{ trainingIteration: 1, own: 2 }] }],
    };
    await expect(plotTrials(own, file, { metric: 'own' })).rejects.toThrow(/^mode is missing/);
    expect(await plotTrials(own, file, { metric: 'own', mode: 'min' })).toBe(file);
  });
});
