import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere } from './runHere.ts';
import { runTabgrad, startTabgrad } from './runTabgrad.ts';

let folder: string;

const config = {
  trainer: 'gbdt',
  data: { train: 'rows.csv', testSize: 0.25, seed: 1 },
  derive: { sum: 'a + b', big: 'a * b > 30' },
  columns: ['a', 'sum', 'kind', 'big'],
  labelColumn: 'big',
  params: { objective: 'binary:logistic', max_depth: 3, eval_metric: ['logloss', 'auc'] },
  numBoostRound: 4,
  scalingConfig: { numWorkers: 2, device: 'cpu' },
  runConfig: { name: 'small' },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-cli-'));
  const rows = Array.from({ length: 400 }, (_, i) => `${i % 11},${(i * 7) % 13},${i % 3 === 0 ? 'x' : 'y'}`);
  await writeFile(join(folder, 'rows.csv'), `a,b,kind\n${rows.join('\n')}\n`);
  await writeFile(join(folder, 'two.csv'), 'a,b,kind\n1,2,x\n5,7,y\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withConfig(name: string, change: Record<string, unknown>): Promise<string> {
  await writeFile(join(folder, name), JSON.stringify({ ...config, ...change }));
  return name;
}

const files = async (path: string) =>
  JSON.parse(await readFile(join(folder, path), 'utf8')) as Record<string, unknown>;

describe('training from a config file', () => {
  it('trains with two workers, prints few plain lines to a pipe, and leaves model and record', async () => {
    const ended = await runTabgrad(['train', await withConfig('small.json', {})], { cwd: folder });
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(ended.stdout).not.toContain('\u001B');
    expect(ended.stdout).not.toContain('\r');
    const lines = ended.stdout.split('\n');
    expect(lines.filter((line) => line.startsWith('round '))).toHaveLength(4);
    expect(lines.find((line) => line.startsWith('generation 1'))).toBe('generation 1: 2 workers');
    expect(ended.stdout).toMatch(/^finished: 4 rounds in /m);
    expect(ended.stdout).toContain('model    results/small/checkpoints/4/model.json');
    const result = await files('results/small/result.json');
    expect(result).toMatchObject({ status: 'finished', rounds: 4, datasetRows: { train: 300, valid: 100 } });
    expect((result['metrics'] as Record<string, number>)['valid-auc']).toBeGreaterThan(0.9);
  });

  it('is drawn from its folder, with its features', async () => {
    const plot = (...words: string[]) => runTabgrad(['plot', ...words], { cwd: folder });
    expect(await plot('results/small')).toEqual({ code: 0, stdout: 'wrote small-plot.html\n', stderr: '' });
    const page = await readFile(join(folder, 'small-plot.html'), 'utf8');
    expect(page.match(/<title id="chart-\d-title">[^<]*/g)?.map((title) => title.split('>')[1])).toEqual([
      'logloss',
      'auc',
      'Features by gain: mean loss that a split takes away',
      'Features by cover: mean weight of the rows at a split',
      'Features by weight: number of splits',
    ]);
    expect(page).toContain('<tr><th>round</th><th>train-logloss</th><th>train-auc</th>');
    const some = [
      '--metric',
      'train-auc',
      '--metric',
      'valid-auc',
      '--output',
      'auc.svg',
      '--log-scale',
      '--json',
    ];
    const drawn = await runHere(['plot', 'results/small', ...some], { cwd: folder });
    expect(JSON.parse(drawn.stdout)).toEqual({ type: 'plot', path: join(folder, 'auc.svg') });
    expect(await readFile(join(folder, 'auc.svg'), 'utf8')).not.toContain('logloss');
  });

  it.each([
    [
      ['results/small', '--output', 'a.png'],
      'PLOT_ARGUMENT',
      'a.png": expected a name that ends in .html or .svg',
    ],
    [['results/small', '--metric', 'valid-aux'], 'PLOT_ARGUMENT', 'did you mean valid-auc?'],
    [['results/small', '--mode', 'max'], 'BAD_ARGUMENT', '--mode has no effect'],
    [['results'], 'PLOT_ARGUMENT', 'holds no run and no experiment'],
    [['smal', '--url', 'http://127.0.0.1:9'], 'BAD_ARGUMENT', 'no coordinator that could know "smal"'],
  ])('is not drawn by %j', async (words, code, message) => {
    const ended = await runHere(['plot', ...words], { cwd: folder });
    expect(ended.stderr).toContain(`error ${code}: `);
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(2);
  });

  it('prints one JSON value a line, the result last', async () => {
    const ended = await runTabgrad(
      ['train', await withConfig('json.json', { runConfig: { name: 'json' } }), '--json'],
      { cwd: folder },
    );
    const values = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(values.filter(({ type }) => type === 'round').map(({ round }) => round)).toEqual([0, 1, 2, 3]);
    expect(values.at(-1)).toMatchObject({ type: 'result', status: 'finished', rounds: 4 });
    expect(existsSync(String(values.at(-1)?.['checkpoint']))).toBe(true);
  });

  it('gives the same model whatever the number of workers, and says nothing when asked to be quiet', async () => {
    const other = { scalingConfig: { numWorkers: 1, device: 'cpu' }, runConfig: { name: 'alone' } };
    const ended = await runTabgrad(['train', await withConfig('alone.json', other), '--quiet'], {
      cwd: folder,
    });
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(join(folder, 'results/alone/checkpoints/4/model.json'), 'utf8')).toBe(
      await readFile(join(folder, 'results/small/checkpoints/4/model.json'), 'utf8'),
    );
  });

  it('does not replace a finished run without being told to', async () => {
    const words = ['train', await withConfig('twice.json', { runConfig: { name: 'twice' } })];
    await mkdir(join(folder, 'results/twice/checkpoints/4'), { recursive: true });
    await writeFile(join(folder, 'results/twice/result.json'), '{ "status": "finished" }');
    const refused = await runHere(words, { cwd: folder });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error RUN_FOLDER_TAKEN: .*results\/twice holds a finished run/);
    const both = await runHere([...words, '--resume', '--overwrite'], { cwd: folder });
    expect(both.stderr).toContain('error BAD_ARGUMENT: --resume goes on with what --overwrite would replace');
    const replaced = await runTabgrad([...words, '--overwrite', '--quiet'], { cwd: folder });
    expect(replaced).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await files('results/twice/result.json')).toMatchObject({ status: 'finished', rounds: 4 });
  });

  it('goes on from the last checkpoint of its name with --resume', async () => {
    const runConfig = { name: 'on' };
    const none = await runHere(['train', await withConfig('on.json', { runConfig }), '--resume'], {
      cwd: folder,
    });
    expect(none.stderr).toMatch(/results\/on has no checkpoint to go on from; train without --resume/);
    await runTabgrad(['train', await withConfig('on.json', { runConfig, numBoostRound: 2 })], {
      cwd: folder,
    });
    const ended = await runTabgrad(['train', await withConfig('on.json', { runConfig }), '--resume'], {
      cwd: folder,
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(await files('results/on/result.json')).toMatchObject({ status: 'finished', rounds: 4 });
    expect(await readFile(join(folder, 'results/on/checkpoints/4/model.json'), 'utf8')).toBe(
      await readFile(join(folder, 'results/small/checkpoints/4/model.json'), 'utf8'),
    );
  });

  it('is called off by Ctrl-C with exit code 130, and leaves its record', async () => {
    const long = { numBoostRound: 50_000, runConfig: { name: 'long' } };
    const running = startTabgrad(['train', await withConfig('long.json', long)], { cwd: folder });
    await running.printed('round ');
    running.signal('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain('error ABORTED');
    expect(await files('results/long/result.json')).toMatchObject({ error: { code: 'ABORTED' } });
  });
});

describe('predicting a file', () => {
  const checkpoint = 'results/small/checkpoints/4';

  it('writes the same on workers of its own, with progress for scripts', async () => {
    const words = ['predict', '--checkpoint', checkpoint, '--data', 'rows.csv', '--config', 'small.json'];
    const alone = await runTabgrad([...words, '--out', 'alone.csv'], { cwd: folder });
    expect(alone.code).toBe(0);
    const onWorkers = [...words, '--out', 'onWorkers.csv', '--workers', '2', '--batch-size', '64', '--json'];
    const ended = await runTabgrad(onWorkers, { cwd: folder });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const lines = ended.stdout.trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'predicted', rows: 400 });
    expect(JSON.parse(lines[0]!)).toMatchObject({ type: 'predicting' });
    const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
    expect(await read('onWorkers.csv')).toBe(await read('alone.csv'));

    const senseless = await runHere([...words, '--out', 'x.csv', '--runtime', 'deno'], { cwd: folder });
    expect(senseless.stderr).toMatch(/BAD_ARGUMENT: --runtime says what workers run on/);
  });

  it('writes all columns and the predictions, computing derived columns as the training did', async () => {
    const words = ['predict', '--checkpoint', checkpoint, '--data', 'rows.csv', '--config', 'small.json'];
    const ended = await runTabgrad([...words, '--out', 'out.jsonl', '--json'], { cwd: folder });
    expect(ended.stderr).toBe('');
    expect(JSON.parse(ended.stdout)).toMatchObject({ type: 'predicted', rows: 400 });
    const rows = (await readFile(join(folder, 'out.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { a: number; b: number; predictions: number });
    expect(rows).toHaveLength(400);
    const right = rows.filter(({ a, b, predictions }) => a * b > 30 === predictions > 0.5).length;
    expect(right).toBeGreaterThan(340);
  });

  it('computes only what the model needs: rows of tomorrow do not have what the label is derived from', async () => {
    const derive = { sum: 'a + b', half: 'sum / 2', big: 'late > 5' };
    const columns = ['half', 'kind', 'big'];
    const runConfig = { name: 'tomorrow' };
    const old = Array.from(
      { length: 60 },
      (_, i) => `${i % 11},${i % 7},${i % 2 ? 'x' : 'y'},${(i * 5) % 9}`,
    );
    await writeFile(join(folder, 'yesterday.csv'), `a,b,kind,late\n${old.join('\n')}\n`);
    const data = { train: 'yesterday.csv' };
    const file = await withConfig('tomorrow.json', { data, derive, columns, runConfig });
    const trained = await runTabgrad(['train', file, '--quiet'], { cwd: folder });
    expect(trained).toEqual({ code: 0, stdout: '', stderr: '' });
    const words = ['predict', '--checkpoint', 'results/tomorrow/checkpoints/4', '--config', file];
    const ended = await runTabgrad([...words, '--data', 'two.csv', '--out', 'tomorrow.jsonl'], {
      cwd: folder,
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const rows = (await readFile(join(folder, 'tomorrow.jsonl'), 'utf8')).trim().split('\n');
    const predictions = expect.any(Number) as number;
    expect(rows.map((line) => JSON.parse(line) as object)).toEqual([
      { a: 1, b: 2, kind: 'x', sum: 3, half: 1.5, predictions },
      { a: 5, b: 7, kind: 'y', sum: 12, half: 6, predictions },
    ]);
  });

  it('reads files as its flags say, and refuses flags that have no effect', async () => {
    await mkdir(join(folder, 'parts/year=2024'), { recursive: true });
    await writeFile(join(folder, 'parts/year=2024/1.csv'), 'a,b,kind\n6,7,x\n');
    await writeFile(join(folder, 'parts/year=2024/2.csv'), 'b,a\n1,2\n');
    const words = ['predict', '--checkpoint', checkpoint, '--config', 'small.json', '--data'];
    const flags = ['--format', 'csv', '--union-by-name', '--no-hive-partitioning', '--out', 'parts.jsonl'];
    const ended = await runTabgrad([...words, 'parts', ...flags], { cwd: folder });
    expect(ended.stderr).toBe('');
    const rows = (await readFile(join(folder, 'parts.jsonl'), 'utf8')).trim().split('\n');
    expect(rows.map((line) => JSON.parse(line) as object)).toEqual([
      { a: 6, b: 7, kind: 'x', sum: 13, predictions: expect.any(Number) as number },
      { a: 2, b: 1, kind: null, sum: 3, predictions: expect.any(Number) as number },
    ]);
    const idle = await runHere([...words, 'rows.csv', '--binary-as-string', '--out', 'x.csv'], {
      cwd: folder,
    });
    expect(idle.stderr).toContain('rows.csv is read as csv, and binaryAsString has no effect on it');
  });

  it.each([
    [['--data', 'rows.csv', '--out', 'x.csv'], 1, 'DATA_COLUMN_UNKNOWN', 'sum'],
    [['--data', 'gone.csv', '--out', 'x.csv'], 1, 'DATA_FILE_MISSING', 'gone.csv'],
    [
      ['--data', 'rows.csv', '--out', 'x.xls', '--config', 'small.json'],
      2,
      'BAD_ARGUMENT',
      '--out must end with',
    ],
    [['--data', 'rows.doc', '--out', 'x.csv'], 2, 'CONFIG_INVALID', '".doc"'],
    [
      ['--data', 'rows.csv', '--out', 'no/such/x.csv', '--config', 'small.json'],
      1,
      'DATA_WRITE_FAILED',
      'no/such',
    ],
  ])('refuses %j', async (words, exitCode, code, message) => {
    const ended = await runHere(['predict', '--checkpoint', checkpoint, ...words], { cwd: folder });
    expect(ended.stderr).toContain(`error ${code}: `);
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(exitCode);
    expect(existsSync(join(folder, 'x.csv'))).toBe(false);
  });

  it('refuses a checkpoint that is not there', async () => {
    const words = ['predict', '--checkpoint', 'nowhere', '--data', 'rows.csv', '--out', 'x.csv'];
    const { code, stderr } = await runHere(words, { cwd: folder });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('error CHECKPOINT_INVALID: No checkpoint at'),
    ]);
  });
});

describe('a config that can not be trained', () => {
  it.each([
    [{ labelColum: 'big' }, 2, 'CONFIG_INVALID', 'labelColum is not an option; did you mean labelColumn?'],
    [{ params: { max_dpeth: 3 } }, 2, 'CONFIG_INVALID', 'did you mean max_depth?'],
    [{ derive: { big: 'a * c > 30', sum: 'a' } }, 2, 'CONFIG_INVALID', 'derive.big names column "c"'],
    [{ labelColumn: 'bigg' }, 2, 'CONFIG_INVALID', 'labelColumn names column "bigg"'],
    [{ data: { train: 'gone.csv' } }, 1, 'DATA_FILE_MISSING', 'gone.csv'],
    [{ derive: { sum: 'kind + 1', big: 'a > 3' } }, 2, 'EXPRESSION_INVALID', 'derive.sum: "+" takes numbers'],
    [{ derive: { sum: 'a', big: 'if(a > 3, 1, 0 / 0)' } }, 1, 'LABEL_INVALID', 'big'],
    [{ scalingConfig: { numWorkers: 2000 } }, 2, 'CONFIG_INVALID', 'scalingConfig.numWorkers asks for 2000'],
    [{ data: { train: 'two.csv' }, scalingConfig: { numWorkers: 3 } }, 1, 'TRAIN_TOO_MANY_WORKERS', '2 rows'],
    [{ scalingConfig: { url: 'http://127.0.0.1:9' } }, 1, '', '127.0.0.1:9'],
  ])('%j is a coded error that names file and field', async (change, exitCode, code, message) => {
    await mkdir(join(folder, 'bad'), { recursive: true });
    const file = await withConfig('bad.json', { ...change, runConfig: { name: 'bad' } });
    const { code: actual, stderr } = await runHere(['train', file], { cwd: folder });
    expect(stderr).toContain(`error ${code}`);
    expect(stderr).toContain(message);
    expect(actual).toBe(exitCode);
    if (code === 'CONFIG_INVALID') expect(stderr).toContain('bad.json: ');
    expect(existsSync(join(folder, 'results/bad/checkpoints'))).toBe(false);
  });
});
