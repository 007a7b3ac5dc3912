// Whatever is wrong with the input, the command line says so in one coded line, ends with a code that is not zero, in
// time, and leaves nothing half-written behind.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTabgrad, type Ended } from '../coordinator/cli/runTabgrad.ts';
import { writeBadInputFiles } from './badInputFiles.ts';

interface Failure {
  readonly type: string;
  readonly code: string;
  readonly message: string;
  readonly place: Readonly<Record<string, unknown>>;
}

interface TrainCase {
  readonly what: string;
  /** A file of the folder, or the whole data section. */
  readonly data: string | Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly exitCode?: number;
  readonly says: readonly string[];
  readonly place?: Readonly<Record<string, unknown>>;
}

/** Nobody listens there. */
const UNREACHABLE = 'http://127.0.0.1:2';

const trainCases: readonly TrainCase[] = [
  { what: 'a missing file', data: 'gone.parquet', code: 'DATA_FILE_MISSING', says: ['gone.parquet'] },
  { what: 'a folder without data', data: 'noData', code: 'DATA_FOLDER_EMPTY', says: ['noData', '.parquet'] },
  {
    what: 'a truncated Parquet file',
    data: 'truncated.parquet',
    code: 'DATA_FILE_CORRUPT',
    says: ['truncated.parquet'],
  },
  {
    what: 'a file of another format',
    data: 'notParquet.parquet',
    code: 'DATA_FILE_CORRUPT',
    says: ['notParquet.parquet', 'PAR1'],
  },
  {
    what: 'a corrupt page',
    data: 'corruptPage.parquet',
    code: 'DATA_FILE_CORRUPT',
    says: ['corruptPage.parquet', 'row group 0', 'column "a"'],
    place: { column: 'a' },
  },
  {
    what: 'a CSV row with a field too few',
    data: 'ragged.csv',
    code: 'DATA_ROW_MALFORMED',
    says: ['ragged.csv, line 202', '3 are expected'],
  },
  {
    what: 'a CSV file cut within quotes',
    data: 'openQuote.csv',
    code: 'DATA_ROW_MALFORMED',
    says: ['openQuote.csv, line 301', 'quote'],
  },
  {
    what: 'JSON lines cut in a row',
    data: 'cut.jsonl',
    code: 'DATA_ROW_MALFORMED',
    says: ['cut.jsonl, line 2'],
  },
  {
    what: 'no such label column',
    data: 'good.csv',
    config: { labelColumn: 'yy' },
    code: 'CONFIG_INVALID',
    exitCode: 2,
    says: ['labelColumn', '"yy"', 'did you mean y?', 'a, b, y'],
    place: { column: 'yy', field: 'labelColumn' },
  },
  {
    what: 'no such feature column',
    data: 'good.csv',
    config: { featureColumns: ['a', 'c'] },
    code: 'CONFIG_INVALID',
    exitCode: 2,
    says: ['featureColumns[1]', '"c"'],
    place: { column: 'c' },
  },
  {
    what: 'a missing label',
    data: 'labelMissing.csv',
    code: 'LABEL_INVALID',
    says: ['column "y"', 'row 17 of dataset "train"', 'missing', 'expected 0 or 1'],
    place: { column: 'y', row: 17 },
  },
  {
    what: 'a label that is NaN',
    data: 'labelNaN.parquet',
    code: 'LABEL_INVALID',
    says: ['column "y"', 'row 17', 'NaN', 'expected 0 or 1'],
    place: { column: 'y', row: 17 },
  },
  {
    what: 'an infinite label',
    data: 'labelInfinite.csv',
    config: { params: { objective: 'reg:squarederror' } },
    code: 'LABEL_INVALID',
    says: ['row 17', 'Infinity', 'expected'],
  },
  {
    what: 'a label out of range',
    data: 'labelOutOfRange.csv',
    code: 'LABEL_INVALID',
    says: ['row 17', '2 is not valid for binary:logistic', 'expected 0 or 1'],
    place: { column: 'y', row: 17 },
  },
  {
    what: 'a class beyond num_class in the evaluation set',
    data: { train: 'good.csv', valid: 'labelOutOfRange.csv' },
    config: { params: { objective: 'multi:softprob', num_class: 2 } },
    code: 'LABEL_INVALID',
    says: ['row 17 of dataset "valid"', 'from 0 to 1'],
  },
  {
    what: 'a label with one value',
    data: 'labelOneValue.csv',
    code: 'LABEL_INVALID',
    says: ['column "y"', 'one value (1)', 'at least two'],
    place: { column: 'y' },
  },
  {
    what: 'a label that is missing everywhere',
    data: 'labelAllMissing.csv',
    code: 'LABEL_INVALID',
    says: ['column "y"', 'no values', 'expected numbers'],
    place: { column: 'y' },
  },
  {
    what: 'features of one value or none',
    data: 'noUsefulFeature.csv',
    code: 'TRAIN_COLUMN_UNSUITABLE',
    says: ['No feature', '"a"', 'one value'],
    place: { column: 'a' },
  },
  {
    what: 'strings as labels',
    data: 'labelText.csv',
    code: 'TRAIN_COLUMN_UNSUITABLE',
    says: ['column "y"', 'strings', 'expected numbers'],
    place: { column: 'y' },
  },
  {
    what: 'strings where the training set has numbers',
    data: { train: 'good.csv', valid: 'featureText.csv' },
    code: 'TRAIN_COLUMN_UNSUITABLE',
    says: ['"b" of dataset "valid"', 'numbers are expected'],
    place: { column: 'b' },
  },
  {
    what: 'a negative weight',
    data: 'weightNegative.csv',
    config: { weightColumn: 'w' },
    code: 'WEIGHT_INVALID',
    says: ['column "w"', 'row 17', '-1', 'at least 0'],
    place: { column: 'w', row: 17 },
  },
  { what: 'an empty file', data: 'empty.csv', code: 'TRAIN_NO_ROWS', says: ['empty.csv has no rows'] },
  {
    what: 'a header alone',
    data: 'headerOnly.csv',
    code: 'TRAIN_NO_ROWS',
    says: ['headerOnly.csv has no rows'],
  },
  {
    what: 'zero rows after a split',
    data: { train: 'oneRow.csv', testSize: 0.5 },
    code: 'DATA_ARGUMENT',
    says: ['testSize 0.5 of 1 rows', 'both need some'],
    place: { field: 'testSize' },
  },
  {
    what: 'more workers than rows',
    data: 'twoRows.csv',
    config: { scalingConfig: { numWorkers: 3, device: 'cpu' } },
    code: 'TRAIN_TOO_MANY_WORKERS',
    says: ['3 workers', '2 rows'],
    place: { field: 'scalingConfig.numWorkers' },
  },
  {
    what: 'an unreachable data address',
    data: `${UNREACHABLE}/rows.parquet`,
    code: 'DATA_UNREACHABLE',
    says: ['127.0.0.1:2', 'could not be reached'],
  },
  {
    what: 'an unreachable coordinator',
    data: 'good.csv',
    config: { scalingConfig: { url: UNREACHABLE } },
    code: 'COORDINATOR_UNREACHABLE',
    says: [UNREACHABLE, 'tabgrad up'],
  },
];

let folder: string;
let systemTemp: string;
let number = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-bad-input-'));
  systemTemp = join(folder, 'systemTemp');
  mkdirSync(systemTemp);
  writeBadInputFiles(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tabgrad = (words: readonly string[]): Promise<Ended> =>
  runTabgrad(words, { cwd: folder, env: { TMPDIR: systemTemp } });

function train(
  data: TrainCase['data'],
  config: TrainCase['config'] = {},
): { name: string; ended: Promise<Ended> } {
  const name = `run${number++}`;
  writeConfig(name, data, { runConfig: { name }, ...config });
  return { name, ended: tabgrad(['train', `${name}.json`, '--json']) };
}

function writeConfig(name: string, data: TrainCase['data'], config: TrainCase['config']): void {
  const base = {
    trainer: 'gbdt',
    data: typeof data === 'string' ? { train: data } : data,
    labelColumn: 'y',
    params: { objective: 'binary:logistic', max_depth: 2 },
    numBoostRound: 2,
    scalingConfig: { numWorkers: 1, device: 'cpu' },
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...base, ...config }));
}

/** The one JSON line of a failure; the person at a terminal reads its message. */
function failureOf({ stderr }: Ended): Failure {
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const failure = JSON.parse(lines[0]!) as Failure;
  expect(failure.type).toBe('error');
  expect(failure.message.split('\n').length).toBeLessThanOrEqual(2);
  expect(failure.message).not.toMatch(/\n\s+at |node:internal/);
  return failure;
}

function expectNothingLeft(): void {
  expect(readdirSync(systemTemp)).toEqual([]);
  expect(childrenOf(folder)).toEqual([]);
}

/** Processes that still work in this suite's folder. */
function childrenOf(cwd: string): string[] {
  if (process.platform !== 'linux') return [];
  const text = execFileSync('sh', ['-c', 'ls -l /proc/[0-9]*/cwd 2>/dev/null || true'], { encoding: 'utf8' });
  return text.split('\n').filter((line) => line.endsWith(`-> ${cwd}`));
}

describe('training', () => {
  // In groups of a few processes: a start takes a second, most of it loading code.
  it.concurrent.each(trainCases)(
    'refuses $what',
    async ({ data, config, code, exitCode = 1, says, place }) => {
      const { name, ended } = train(data, config);
      const result = await ended;
      const failure = failureOf(result);
      expect([failure.code, result.code]).toEqual([code, exitCode]);
      for (const words of says) expect(failure.message).toContain(words);
      expect(failure.place).toMatchObject(place ?? {});
      expect(result.stdout.split('\n').some((line) => line.includes('"type":"round"'))).toBe(false);
      const left = join(folder, 'results', name);
      if (!existsSync(left)) return;
      // What failed once it was under way leaves its record, and nothing else.
      expect(readdirSync(left).sort()).toEqual(['progress.jsonl', 'result.json']);
      const record = JSON.parse(readFileSync(join(left, 'result.json'), 'utf8')) as Record<string, unknown>;
      expect(record).toMatchObject({ status: 'failed', error: { code, message: failure.message } });
    },
  );

  it('leaves no temporary files and no processes after any of these', expectNothingLeft);

  it.each([
    ['one value', 'featureOneValue.csv', 'Feature "b" has one value'],
    ['no value', 'featureAllMissing.csv', 'Feature "b" has no values'],
    ['a stray word among numbers', 'featureText.csv', 'Feature "b" is taken for text'],
  ])('goes on with a feature of %s among others, and warns', async (_, file, warning) => {
    const { name, ended } = train(file);
    const { code, stdout } = await ended;
    expect(stdout).toContain(warning.replaceAll('"', '\\"'));
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'results', name, 'result.json'), 'utf8')).toContain('"warnings": [\n');
  });

  it('writes plain lines and no stack for a person', async () => {
    const { stderr, code } = await tabgrad(['train', 'gone.json']);
    expect([stderr, code]).toEqual([
      'error CONFIG_UNREADABLE: The config file gone.json does not exist.\n',
      2,
    ]);
  });
});

describe('predicting', () => {
  let checkpoint: string;
  beforeAll(async () => {
    const { name, ended } = train('good.csv');
    expect((await ended).code).toBe(0);
    checkpoint = join(folder, 'results', name, 'checkpoints', '2');
    writeFileSync(
      join(folder, 'cutModel.json'),
      readFileSync(join(checkpoint, 'model.json')).subarray(0, 400),
    );
    mkdirSync(join(folder, 'folder.csv'));
  });

  it.concurrent.each([
    [{ data: 'gone.csv' }, 'DATA_FILE_MISSING', ['gone.csv']],
    [{ data: 'truncated.parquet' }, 'DATA_FILE_CORRUPT', ['truncated.parquet']],
    [{ data: 'corruptPage.parquet' }, 'DATA_FILE_CORRUPT', ['corruptPage.parquet', '"a"']],
    [{ data: 'headerOnly.csv' }, 'TRAIN_NO_ROWS', ['no rows']],
    [{ data: 'featureText.csv' }, 'TRAIN_COLUMN_UNSUITABLE', ['"b" holds text', 'expects numbers']],
    [{ data: `${UNREACHABLE}/x.csv` }, 'DATA_UNREACHABLE', ['127.0.0.1:2']],
    [{ checkpoint: 'gone' }, 'CHECKPOINT_INVALID', ['gone']],
    [{ checkpoint: 'cutModel.json' }, 'MODEL_MALFORMED', ['cutModel.json']],
    [{ out: 'no/such.csv' }, 'DATA_WRITE_FAILED', ['no']],
    [{ out: 'folder.csv' }, 'DATA_WRITE_FAILED', ['folder.csv']],
  ])('refuses %j', async (change, code, says) => {
    const out = `predicted${number++}.csv`;
    const options = { checkpoint, data: 'good.csv', out, ...change };
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const ended = await tabgrad(['predict', '--json', ...words]);
    const failure = failureOf(ended);
    expect([failure.code, ended.code, ended.stdout]).toEqual([code, 1, '']);
    for (const part of says) expect(failure.message).toContain(part);
    expect(existsSync(join(folder, out))).toBe(false);
  });

  it('leaves nothing half-written after any of these', () => {
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    expectNothingLeft();
  });

  it('to a full disk says so and leaves no piece of the file', (context) => {
    const words = ['predict', '--json', '--checkpoint', checkpoint, '--data', 'good.csv'];
    const { ended, left } = onFullDisk([...words, '--out', 'full/out.csv'], context);
    expect([failureOf(ended).code, ended.code, left]).toEqual(['DATA_DISK_FULL', 1, '']);
    expect(failureOf(ended).message).toContain('full/out.csv');
  });
});

/** Runs the command where the folder "full" is a volume without room; what it left there, too. */
function onFullDisk(
  words: readonly string[],
  context: { skip(note: string): never },
  env: Readonly<Record<string, string>> = {},
): { ended: Ended; left: string } {
  const full = join(folder, 'full');
  mkdirSync(full, { recursive: true });
  // A mount namespace of its own: the volume goes with the process.
  const unshare = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
  const script = [
    'mount -t tmpfs -o size=64k tmpfs full || exit 99',
    'head -c 100000 /dev/zero > full/filler 2>/dev/null',
    '"$@"; code=$?',
    'find full -mindepth 1 -not -name filler >&3',
    'exit $code',
  ].join('\n');
  const cli = new URL('../../dist/node/cli.js', import.meta.url).pathname;
  const { status, stdout, stderr, output, error } = spawnSync(
    'unshare',
    [...unshare, 'sh', '-c', script, 'sh', process.execPath, cli, ...words],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: systemTemp, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      timeout: 30_000,
    },
  );
  if (error !== undefined || status === 99 || stderr.startsWith('unshare:'))
    context.skip(`this machine lets nobody mount a small volume: ${error?.message ?? stderr}`);
  return { ended: { code: status, stdout, stderr }, left: output[3] ?? '' };
}

describe('a full disk', () => {
  it('under the results ends the run before it begins, and leaves no folder', (context) => {
    const config = { runConfig: { name: 'r', storagePath: 'full' } };
    writeConfig('fullResults', 'good.csv', config);
    const { ended, left } = onFullDisk(['train', 'fullResults.json', '--json'], context);
    expect([failureOf(ended).code, ended.code, left]).toEqual(['RESULT_WRITE_FAILED', 1, '']);
    expect(failureOf(ended).message).toContain(
      `${join('full', 'r')} can not be written: the disk has no room left`,
    );
  });

  it("under the system's temporary folder ends the run, and leaves no shard", (context) => {
    writeConfig('fullTemp', 'good.csv', { runConfig: { name: 'fullTemp' } });
    const TMPDIR = join(folder, 'full');
    const { ended, left } = onFullDisk(['train', 'fullTemp.json', '--json'], context, { TMPDIR });
    expect([failureOf(ended).code, ended.code, left]).toEqual(['STORAGE_FULL', 1, '']);
    expect(readdirSync(join(folder, 'results/fullTemp')).sort()).toEqual(['progress.jsonl', 'result.json']);
  });

  it('met in mid-run ends the run and its workers', async () => {
    mkdirSync(join(folder, 'results/midRun'), { recursive: true });
    symlinkSync('/dev/full', join(folder, 'results/midRun/progress.jsonl'));
    writeConfig('midRun', 'good.csv', { numBoostRound: 5000, runConfig: { name: 'midRun' } });
    const ended = await tabgrad(['train', 'midRun.json', '--json']);
    const failure = failureOf(ended);
    expect([failure.code, ended.code]).toEqual(['RESULT_WRITE_FAILED', 1]);
    expect(failure.message).toContain('no room left');
    const result = JSON.parse(readFileSync(join(folder, 'results/midRun/result.json'), 'utf8')) as {
      rounds: number;
    };
    expect(result.rounds).toBeLessThan(4000);
    expectNothingLeft();
  });

  it('behind standard output is one coded line', () => {
    const cli = new URL('../../dist/node/cli.js', import.meta.url).pathname;
    const script = '"$@" > /dev/full';
    const words = [process.execPath, cli, '--help'];
    const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' });
    expect(stderr).toMatch(/^error OUTPUT_FAILED: Standard output can not be written: ENOSPC[^\n]*\n$/);
    expect(status).toBe(1);
  });
});

describe('a coordinator', () => {
  it('refuses a port in use and starts no worker', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as AddressInfo;
    const ended = await tabgrad(['up', '--port', String(port), '--workers', '1', '--json']);
    await new Promise((done) => taken.close(done));
    const failure = failureOf(ended);
    expect([failure.code, ended.code, ended.stdout]).toEqual(['PORT_IN_USE', 1, '']);
    expect(failure.message).toContain(`Port ${port} of 127.0.0.1`);
    expectNothingLeft();
  });

  it.concurrent.each(['worker', 'status', 'runs', 'logs x', 'stop x'])(
    'that is not there is an error of %s',
    async (command) => {
      const ended = await tabgrad([...command.split(' '), '--url', UNREACHABLE, '--json']);
      const failure = failureOf(ended);
      expect([failure.code, ended.code, ended.stdout]).toEqual(['COORDINATOR_UNREACHABLE', 1, '']);
      expect(failure.message).toContain(UNREACHABLE);
    },
  );
});
