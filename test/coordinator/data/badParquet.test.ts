import { appendFileSync, copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { parquetMetadata } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { TabgradError } from '../../../kernels/errors.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { withDuck } from './support/duck.ts';
import { scratchFolder } from './support/scratch.ts';
import { failureOf } from './support/failureOf.ts';

const path = scratchFolder();

const readAll = (file: string | string[], columns?: string[]): Promise<unknown> =>
  readParquet(file, columns === undefined ? {} : { columns }).takeAll();

beforeAll(() =>
  withDuck(async (duck) => {
    await duck.run(
      `COPY (SELECT i AS number, 'w' || (i % 9) AS word FROM range(6000) t(i)) TO '${path('good.parquet')}' (FORMAT parquet, CODEC 'zstd', ROW_GROUP_SIZE 2048)`,
    );
    await duck.run(`COPY (SELECT 'x' AS number, 'w' AS word) TO '${path('other.parquet')}' (FORMAT parquet)`);
    await duck.run(`COPY (SELECT 1::BIGINT AS number) TO '${path('fewer.parquet')}' (FORMAT parquet)`);
  }),
);

describe('a Parquet file that can not be read', () => {
  it('is named when it does not exist', async () => {
    const error = await failureOf(readAll(path('none.parquet')));
    expect(error.code).toBe('DATA_FILE_MISSING');
    expect(error.message).toContain('none.parquet');
  });

  it('is an error when a folder has none', async () => {
    mkdirSync(path('empty'));
    writeFileSync(path('empty/_SUCCESS'), '');
    expect((await failureOf(readAll(path('empty')))).code).toBe('DATA_FOLDER_EMPTY');
  });

  it('is called damaged at every length it may be cut to', async () => {
    const bytes = readFileSync(path('good.parquet'));
    for (const length of [
      0,
      3,
      8,
      12,
      100,
      Math.floor(bytes.length / 2),
      bytes.length - 9,
      bytes.length - 1,
    ]) {
      writeFileSync(path('cut.parquet'), bytes.subarray(0, length));
      const error = await failureOf(readAll(path('cut.parquet')));
      expect(error.code).toBe('DATA_FILE_CORRUPT');
      expect(error.place.file).toBe(path('cut.parquet'));
    }
  });

  it('is called damaged when the footer is overwritten with noise', async () => {
    const bytes = readFileSync(path('good.parquet'));
    const footer = bytes.readUInt32LE(bytes.length - 8);
    let failures = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const damaged = Buffer.from(bytes);
      const at = bytes.length - 8 - footer + ((seed * 7919) % footer);
      damaged[at] = (damaged[at]! + 1 + ((seed * 104_729) % 255)) & 255;
      writeFileSync(path('noise.parquet'), damaged);
      // Some bytes only describe (statistics, the writer's name): then the rows must still be right.
      const outcome = await readAll(path('noise.parquet')).then(
        (rows) => (rows as unknown[]).length,
        (error: unknown) => error,
      );
      if (outcome === 6000) continue;
      expect(outcome).toBeInstanceOf(TabgradError);
      failures++;
    }
    expect(failures).toBeGreaterThan(5);
  });

  it('names row group and column of a corrupt page', async () => {
    const bytes = readFileSync(path('good.parquet'));
    const metadata = parquetMetadata(new Uint8Array(bytes));
    const chunk = metadata.row_groups[1]!.columns[1]!.meta_data!;
    const middle = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset) + 30;
    bytes.fill(0xff, middle, middle + 20);
    writeFileSync(path('page.parquet'), bytes);
    const error = await failureOf(readAll(path('page.parquet')));
    expect(error.code).toBe('DATA_FILE_CORRUPT');
    expect(error.message).toContain('row group 1, column "word"');
    expect(error.place).toEqual({ file: path('page.parquet'), column: 'word' });
    // The other column is whole, and is all that is read.
    expect(await readParquet(path('page.parquet'), { columns: ['number'] }).takeAll()).toHaveLength(6000);
  });

  it('never gives wrong kinds of errors for damaged pages', async () => {
    const bytes = readFileSync(path('good.parquet'));
    for (let seed = 1; seed <= 60; seed++) {
      const damaged = Buffer.from(bytes);
      damaged[4 + ((seed * 7919) % (bytes.length - 1500))]! ^= 1 << (seed % 8);
      writeFileSync(path('bits.parquet'), damaged);
      const outcome = await readAll(path('bits.parquet')).then(
        (rows) => rows,
        (error: unknown) => error,
      );
      if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ code: 'DATA_FILE_CORRUPT' });
      else expect(outcome).toHaveLength(6000);
    }
  });

  it('is not taken for Parquet when it is text', async () => {
    writeFileSync(path('text.parquet'), 'number,word\n1,a\n');
    expect((await failureOf(readAll(path('text.parquet')))).message).toContain('"PAR1"');
  });
});

describe('Parquet files that do not fit together', () => {
  it('are refused with file and column when types differ', async () => {
    const error = await failureOf(readAll([path('good.parquet'), path('other.parquet')]));
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.place).toEqual({ file: path('other.parquet'), column: 'number' });
  });

  it('are refused when a column is missing, unless it is not wanted', async () => {
    const error = await failureOf(readAll([path('good.parquet'), path('fewer.parquet')]));
    expect(error.message).toContain('lacks the column "word"');
    expect(await readAll([path('good.parquet'), path('fewer.parquet')], ['number'])).toHaveLength(6001);
  });
});

describe('a column that is not there', () => {
  it('is named with the nearest one', async () => {
    const error = await failureOf(readParquet(path('good.parquet')).selectColumns(['numbr']).take(1));
    expect(error.code).toBe('DATA_COLUMN_UNKNOWN');
    expect(error.message).toContain('did you mean "number"?');
  });
});

describe('a file that changes', () => {
  it('is noticed between two passes of one dataset', async () => {
    copyFileSync(path('good.parquet'), path('changing.parquet'));
    const dataset = readParquet(path('changing.parquet'));
    expect(await dataset.takeAll()).toHaveLength(6000);
    utimesSync(path('changing.parquet'), new Date(1e12), new Date(1e12));
    expect((await failureOf(dataset.takeAll())).code).toBe('DATA_FILE_CHANGED');
  });

  it('is noticed while it is read', async () => {
    copyFileSync(path('good.parquet'), path('growing.parquet'));
    const batches = readParquet(path('growing.parquet')).iterArrow();
    await batches.next();
    appendFileSync(path('growing.parquet'), 'more');
    const rest = async (): Promise<void> => {
      while ((await batches.next()).done !== true);
    };
    expect((await failureOf(rest())).code).toBe('DATA_FILE_CHANGED');
  });
});
