import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fileOptionsOf } from '../../../coordinator/cli/readFlags.ts';
import { checkConfig } from '../../../coordinator/config/loadConfig.ts';
import { openSource } from '../../../coordinator/config/openSource.ts';
import { withDuck } from '../data/support/duck.ts';
import { scratchFolder } from '../data/support/scratch.ts';

const path = scratchFolder();
const noFlags = {
  format: undefined,
  delimiter: undefined,
  'null-values': undefined,
  trim: false,
  decimal: undefined,
  thousands: undefined,
  encoding: undefined,
  types: undefined,
  'no-header': false,
  'column-names': undefined,
  'binary-as-string': false,
  'memory-limit-bytes': undefined,
  'union-by-name': false,
  'no-hive-partitioning': false,
};

describe('options of CSV', () => {
  it('are those of a config file', async () => {
    writeFileSync(path('in.csv'), Buffer.from('a;s\n1.000,5; x\u00e9 \n-;-\n', 'latin1'));
    const csv = {
      delimiter: ';',
      decimal: ',',
      thousands: '.',
      nullValues: ['-'],
      trim: true,
      encoding: 'latin1',
      types: { s: 'string' },
    };
    const config = checkConfig(
      { trainer: 'gbdt', data: { train: path('in.csv'), testSize: 0.5, csv }, labelColumn: 'a' },
      'config.yaml',
    );
    expect(await openSource([path('in.csv')], config.data).takeAll()).toEqual([
      { a: 1000.5, s: 'xé' },
      { a: null, s: null },
    ]);
    const wrong = { ...csv, decimal: ';' };
    expect(() =>
      checkConfig({ trainer: 'gbdt', data: { train: 'x.csv', csv: wrong }, labelColumn: 'a' }, 'config.yaml'),
    ).toThrow(/data\.csv\.decimal/);
  });

  it('are those of flags', () => {
    expect(fileOptionsOf(noFlags)).toEqual({});
    expect(
      fileOptionsOf({
        ...noFlags,
        delimiter: String.raw`\t`,
        'null-values': '-,none',
        trim: true,
        decimal: ',',
        'no-header': true,
        'column-names': 'a,b',
      }),
    ).toEqual({
      csv: {
        delimiter: '\t',
        nullValues: ['-', 'none'],
        trim: true,
        decimal: ',',
        header: false,
        columnNames: ['a', 'b'],
      },
    });
    expect(
      fileOptionsOf({
        ...noFlags,
        'binary-as-string': true,
        'memory-limit-bytes': 1000,
        'union-by-name': true,
        'no-hive-partitioning': true,
        types: 'a=b=string,id=int64',
        format: 'csv',
      }),
    ).toEqual({
      read: { binaryAsString: true, memoryLimitBytes: 1000, unionByName: true, hivePartitioning: false },
      types: { 'a=b': 'string', id: 'int64' },
      format: 'csv',
    });
    expect(() => fileOptionsOf({ ...noFlags, types: 'id=integer' })).toThrow(
      '--types has "id=integer"; expected COLUMN=TYPE',
    );
  });

  it('are refused for files of another format, unless they are those of the training', () => {
    const csv = { delimiter: ';' };
    expect(() => openSource(['in.parquet'], { csv })).toThrow(
      /in\.parquet is read as parquet, and options for CSV/,
    );
    expect(() => openSource(['in.parquet'], {}, { csv })).not.toThrow();
    expect(() => openSource(['in.csv.gz'], { csv })).not.toThrow();
    expect(() => openSource(['in.parquet.gz'])).toThrow(/ends with "\.parquet\.gz"/);
  });
});

describe('options of all files', () => {
  const configOf = (data: object) =>
    checkConfig({ trainer: 'gbdt', data: { train: 'x', testSize: 0.5, ...data }, labelColumn: 'a' }, 'c.yaml')
      .data;

  it('of a config file reach the readers', async () => {
    await withDuck(async (duck) => {
      await duck.run(`COPY (SELECT 1 AS a, 'x'::BLOB AS s) TO '${path('one.parquet')}' (FORMAT parquet)`);
      await duck.run(
        `COPY (SELECT 2::BIGINT AS a, 0.5::DOUBLE AS b) TO '${path('two.parquet')}' (FORMAT parquet)`,
      );
    });
    const files = [path('one.parquet'), path('two.parquet')];
    await expect(openSource(files, configOf({})).takeAll()).rejects.toThrow('unionByName');
    const read = { unionByName: true, binaryAsString: true };
    expect(await openSource(files, configOf({ read })).takeAll()).toEqual([
      { a: 1, s: 'x', b: null },
      { a: 2, s: null, b: 0.5 },
    ]);
    const strict = configOf({ read: { unionByName: true, memoryLimitBytes: 1 } });
    await expect(openSource(files, strict).takeAll()).rejects.toMatchObject({ code: 'DATA_TOO_LARGE' });
    mkdirSync(path('year=2024'), { recursive: true });
    writeFileSync(path('year=2024/in.jsonl'), '{"id": 7}\n');
    const json = { types: { id: 'int64' } };
    const folder = path('year=2024/..');
    const withFolders = configOf({ format: 'json', json });
    expect(await openSource([folder], withFolders).columns()).toEqual(['id', 'year']);
    const without = openSource(
      [folder],
      configOf({ format: 'json', json, read: { hivePartitioning: false } }),
    );
    expect(String(await without.schema())).toBe('Schema<{ 0: id: Int64 }>');
    const named = configOf({ csv: { header: false, columnNames: ['p', 'q'] } });
    writeFileSync(path('bare.csv'), '1,2\n');
    expect(await openSource([path('bare.csv')], named).takeAll()).toEqual([{ p: 1, q: 2 }]);
  });

  it('are checked, and refused where they have no effect', () => {
    expect(() => configOf({ read: { unionByNames: true } })).toThrow(/data\.read/);
    expect(() => configOf({ read: { memoryLimitBytes: 0 } })).toThrow(/data\.read\.memoryLimitBytes/);
    expect(() => openSource(['in.csv'], { read: { binaryAsString: true } })).toThrow(
      'in.csv is read as csv, and binaryAsString has no effect on it',
    );
    expect(() => openSource(['in.arrow'], { types: { a: 'string' } })).toThrow('types have no effect');
    expect(() => openSource(['in.jsonl'], { types: { a: 'string' } })).not.toThrow();
    expect(() => openSource(['in.csv'], {}, { read: { binaryAsString: true } })).not.toThrow();
  });
});
