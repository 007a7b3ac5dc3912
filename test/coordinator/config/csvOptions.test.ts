import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { csvOptionsOf } from '../../../coordinator/cli/csvFlags.ts';
import { checkConfig } from '../../../coordinator/config/loadConfig.ts';
import { openSource } from '../../../coordinator/config/openSource.ts';
import { scratchFolder } from '../data/support/scratch.ts';

const path = scratchFolder();
const noFlags = {
  delimiter: undefined,
  'null-values': undefined,
  trim: false,
  decimal: undefined,
  thousands: undefined,
  encoding: undefined,
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
    expect(csvOptionsOf(noFlags)).toEqual({});
    expect(
      csvOptionsOf({
        ...noFlags,
        delimiter: String.raw`\t`,
        'null-values': '-,none',
        trim: true,
        decimal: ',',
      }),
    ).toEqual({ delimiter: '\t', nullValues: ['-', 'none'], trim: true, decimal: ',' });
  });

  it('are refused for files of another format, unless they are those of the training', () => {
    const csv = { delimiter: ';' };
    expect(() => openSource(['in.parquet'], { csv })).toThrow(
      /in\.parquet is read as parquet, and options for CSV/,
    );
    expect(() => openSource(['in.parquet'], { csv, csvIsAsked: false })).not.toThrow();
    expect(() => openSource(['in.csv.gz'], { csv })).not.toThrow();
    expect(() => openSource(['in.parquet.gz'])).toThrow(/ends with "\.parquet\.gz"/);
  });
});
