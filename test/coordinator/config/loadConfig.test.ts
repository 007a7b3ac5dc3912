import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, loadConfig, resolveSource } from '../../../coordinator/config/loadConfig.ts';
import { readConfigFile } from '../../../coordinator/config/readConfigFile.ts';
import type { TabgradError } from '../../../kernels/errors.ts';

const example = {
  trainer: 'gbdt',
  data: { train: 'flights.parquet', valid: null, testSize: 0.3, seed: 0 },
  labelColumn: 'is_late',
  params: { objective: 'binary:logistic', max_depth: 6 },
  numBoostRound: 20,
  scalingConfig: { numWorkers: 2, runtime: 'node', device: 'webgpu' },
  runConfig: { storagePath: 'results', name: 'flights' },
} as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

async function problem(work: () => unknown): Promise<TabgradError> {
  try {
    await work();
  } catch (error) {
    return error as TabgradError;
  }
  throw new Error('expected an error');
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const keys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1])));
/** Twice as large with every line. */
const doubling = [
  'a0: &a0 [x, x]',
  ...Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
];

const large: readonly (readonly [string, () => string, string | RegExp])[] = [
  [
    'deep.json',
    () => `{"data": ${nested(1_000_000)}}`,
    'deep.json is too complex: Arrays and objects may be nested 100 deep',
  ],
  [
    'deep.yaml',
    () => `data: ${nested(3_000)}`,
    /deep\.yaml is no valid YAML at line 1, column \d+: it is nested too deeply/,
  ],
  [
    'flow.yaml',
    () => `data: ${nested(200)}`,
    'flow.yaml is too complex: Arrays and objects may be nested 100 deep',
  ],
  ['keys.json', () => keys(200_000), 'keys.json is too complex: An object may have 10000 keys'],
  ['doubling.yaml', () => doubling.join('\n'), 'doubling.yaml is no valid YAML: Excessive alias count'],
  [
    'cycle.yaml',
    () => 'data: &a { train: *a }',
    'cycle.yaml is too complex: an alias stands within its own anchor.',
  ],
  [
    'many.yaml',
    () => 'x: &y 1\n'.repeat(50_000),
    'many.yaml is longer than 262144 bytes; JSON may have more.',
  ],
];

describe('a config that is made to be large', () => {
  it.each(large)('is refused: %s', async (name, text, message) => {
    const error = await problem(async () => loadConfig(await write(name, text()), folder));
    expect(error).toMatchObject({ place: { file: name }, message: expect.stringMatching(message) });
  });

  it('is read no further than it may be long', async () => {
    await symlink('/dev/zero', join(folder, 'endless.json'));
    expect((await problem(() => readConfigFile('endless.json', folder))).message).toBe(
      'The config file endless.json is longer than 4194304 bytes.',
    );
  });

  it.each([
    ['wrong entries', { ...example, featureColumns: Array(99_999).fill(1) }],
    ['unknown keys', JSON.parse(keys(9_999)) as object],
    ['a long word', { ...example, trainer: 'x'.repeat(1_000_000) }],
    ['a long key', { ...example, ['y'.repeat(1_000_000)]: 1 }],
  ])('with %s is told of in few words', async (_, config) => {
    const { message, place } = await problem(() => checkConfig(config, 'config.ts'));
    expect(message.length + (place.field?.length ?? 0)).toBeLessThan(45_000);
    expect(message.split('\n').length).toBeLessThanOrEqual(21);
  });
});

describe('loading a config', () => {
  it('reads the same config from JSON, YAML, TypeScript and JavaScript', async () => {
    const json = JSON.stringify(example);
    const files = [
      await write('a.json', json),
      await write(
        'b.yaml',
        [
          'trainer: gbdt',
          'data: { train: flights.parquet, valid: null, testSize: 0.3, seed: 0 }',
          'labelColumn: is_late',
          'params:',
          '  objective: binary:logistic',
          '  max_depth: 6',
          'numBoostRound: 20',
          'scalingConfig: { numWorkers: 2, runtime: node, device: webgpu }',
          'runConfig: { storagePath: results, name: flights }',
        ].join('\n'),
      ),
      await write(
        'c.ts',
        `interface Any { readonly [key: string]: unknown }\nexport default ${json} as Any;`,
      ),
      await write('d.mjs', `export const config = ${json};`),
    ];
    for (const file of files) expect(await readConfigFile(file, folder), file).toEqual(example);
  });

  it('lets a TypeScript config import its neighbours', async () => {
    await write('rounds.ts', 'export const rounds: number = 7;');
    const file = await write(
      'e.ts',
      `import { rounds } from './rounds.ts';
       export const config = { trainer: 'gbdt', data: { train: 'x.csv' }, labelColumn: 'y', numBoostRound: rounds };`,
    );
    expect((await loadConfig(file, folder)).numBoostRound).toBe(7);
  });

  it('fills in defaults and resolves paths against the folder of the file', async () => {
    const file = await write(
      'my run.json',
      JSON.stringify({ trainer: 'gbdt', data: { train: ['x.csv', 's3://bucket/y.csv'] }, labelColumn: 'y' }),
    );
    const config = await loadConfig(join(folder, file), '/');
    expect(config.data.train).toEqual([join(folder, 'x.csv'), 's3://bucket/y.csv']);
    expect(config.data.valid).toBeNull();
    expect(config.runConfig).toMatchObject({ name: 'my-run', storagePath: join(folder, 'results') });
    expect(config.runConfig.checkpointConfig.checkpointFrequency).toBe(0);
    expect(config.runConfig.failureConfig.maxFailures).toBe(0);
    expect(config.scalingConfig).toEqual({ numWorkers: 1, device: 'auto' });
    expect(config.numBoostRound).toBe(10);
  });

  it('leaves addresses alone and turns file: addresses into paths', () => {
    expect(resolveSource('https://example.org/a.parquet', '/x')).toBe('https://example.org/a.parquet');
    expect(resolveSource('file:///data/a.parquet', '/x')).toBe('/data/a.parquet');
    expect(resolveSource('../a.parquet', '/x/y')).toBe('/x/a.parquet');
  });

  it.each([
    ['missing.json', undefined, 'CONFIG_UNREADABLE', 'missing.json does not exist'],
    ['run.toml', 'a = 1', 'CONFIG_UNREADABLE', 'must end with one of .json, .yaml'],
    [
      'bad.json',
      '{\n  "trainer": "gbdt",\n}',
      'CONFIG_SYNTAX',
      'bad.json is no valid JSON at line 3, column 1',
    ],
    ['cut.json', '{"trainer": ', 'CONFIG_SYNTAX', 'cut.json is no valid JSON'],
    ['bad.yaml', 'a: 1\nb: [1, 2\nc: 3', 'CONFIG_SYNTAX', 'bad.yaml is no valid YAML at line'],
    ['twice.yaml', 'a: 1\na: 2', 'CONFIG_SYNTAX', 'Map keys must be unique'],
    ['bad.ts', 'export const config = {', 'CONFIG_SYNTAX', 'bad.ts can not be loaded'],
    ['throws.ts', 'throw new Error("no GPU today")', 'CONFIG_SYNTAX', 'no GPU today'],
    ['empty.ts', 'export const other = 1;', 'CONFIG_SYNTAX', 'must export the config as "config"'],
  ])('refuses %s', async (name, text, code, message) => {
    if (text !== undefined) await write(name, text);
    const error = await problem(() => readConfigFile(name, folder));
    expect(error).toMatchObject({ code, place: { file: name } });
    expect(error.message).toContain(message);
  });
});

describe('checking a config', () => {
  const changed = (change: Record<string, unknown>) => ({ ...example, ...change });

  it.each([
    [changed({ labelColum: 'x' }), 'labelColum', 'labelColum is not an option; did you mean labelColumn?'],
    [
      changed({ data: { train: 'x', testsize: 0.3 } }),
      'data.testsize',
      'data.testsize is not an option; did you mean testSize?',
    ],
    [
      changed({ runConfig: { checkpointConfig: { numKeep: 3 } } }),
      'runConfig.checkpointConfig.numKeep',
      'did you mean numToKeep?',
    ],
    [
      changed({ data: { train: 'x', testSize: 1.5 } }),
      'data.testSize',
      'is 1.5; expected a number above 0 and below 1',
    ],
    [changed({ data: {} }), 'data.train', 'data.train is missing; expected text, or a list'],
    [changed({ numBoostRound: '20' }), 'numBoostRound', 'numBoostRound is "20"; expected a whole number'],
    [changed({ numBoostRound: 2.5 }), 'numBoostRound', 'numBoostRound is 2.5; expected a whole number'],
    [
      changed({ numBoostRound: 0 }),
      'numBoostRound',
      'numBoostRound is 0; expected a whole number from 1 to 2147483648',
    ],
    [
      changed({ trainer: 'gbtd' }),
      'trainer',
      'trainer is "gbtd"; expected one of gbdt, neural; did you mean gbdt?',
    ],
    [
      changed({ scalingConfig: { runtime: 'nod' } }),
      'scalingConfig.runtime',
      'scalingConfig.runtime is "nod"; expected one of node, deno, browser, or a list; did you mean node?',
    ],
    [
      changed({ scalingConfig: { numWorkers: [3, 2] } }),
      'scalingConfig.numWorkers',
      'expected the fewest first',
    ],
    [changed({ scalingConfig: { url: 'ftp://x' } }), 'scalingConfig.url', 'scalingConfig.url is "ftp://x"'],
    [changed({ xgbModel: 'a', resumeFromCheckpoint: 'b' }), 'xgbModel', 'exclude each other'],
    [
      changed({ scalingConfig: { numWorkers: 0 } }),
      'scalingConfig.numWorkers',
      'expected a whole number from 1 to 4096',
    ],
    [changed({ labelColumn: undefined }), 'labelColumn', 'labelColumn is missing; expected text'],
    [changed({ labelColumn: '' }), 'labelColumn', 'labelColumn is ""; expected some text'],
    [changed({ runConfig: { name: 'a/b' } }), 'runConfig.name', 'letters, digits'],
    [changed({ data: { train: 'x', valid: 'y', testSize: 0.1 } }), 'data.testSize', 'exclude each other'],
    [
      changed({ data: { train: 'x' }, earlyStoppingRounds: 3 }),
      'earlyStoppingRounds',
      'needs rows to validate on',
    ],
    [changed({ derive: { late: 'delay >' } }), 'derive.late', 'expects a column, a value or "("'],
    [changed({ params: { max_dept: 6 } }), 'params.max_dept', 'did you mean max_depth?'],
    [changed({ params: { eta: 3 } }), 'params.eta', 'eta is 3'],
    [[], '', 'the whole config is [], expected an object with keys'],
    [null, '', 'the whole config is null, expected an object with keys'],
  ])('names file and key of a mistake (%#)', async (input, field, message) => {
    const error = await problem(() => checkConfig(input, 'flights.json'));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', place: { file: 'flights.json', field } });
    expect(error.message).toContain('flights.json: ');
    expect(error.message).toContain(message);
  });

  it('names every mistake, one a line', async () => {
    const error = await problem(() => checkConfig(changed({ labelColumn: 3, rounds: 3, seed: 1 }), 'f.json'));
    expect(error.message.split('\n')).toHaveLength(3);
  });
});
