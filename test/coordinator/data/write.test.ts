import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { readCsv, readJson } from '../../../coordinator/data/readFiles.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { csvFormat } from '../../../coordinator/data/sink/textFormats.ts';
import { writeFolder } from '../../../coordinator/data/sink/writeFolder.ts';
import { duckRows, withDuck } from './support/duck.ts';
import { flightsParquet, scratchFolder } from './support/scratch.ts';

const path = scratchFolder();

const rows = Array.from({ length: 257 }, (_, i) => ({
  n: i % 5 === 0 ? null : i / 3,
  flag: i % 2 === 0,
  text: i % 7 === 0 ? null : `"${i}", ünï\n${'x'.repeat(i % 9)}`,
  empty: i % 3 === 0 ? '' : null,
  when: i % 4 === 0 ? null : new Date(1e12 + i * 1000),
}));

describe('writing a dataset', () => {
  it('gives Parquet that DuckDB and this reader read alike', async () => {
    const nested = rows.map((row, i) => ({
      ...row,
      list: i % 3 === 0 ? null : [i, null],
      one: { a: i, b: `t${i}` },
    }));
    const files = await fromItems(nested).writeParquet(path('parquet'), { rowsPerFile: 100 });
    expect(files).toHaveLength(3);
    expect(await readParquet(path('parquet')).takeAll()).toEqual(nested);
    const duck = await withDuck((connection) =>
      duckRows(connection, `SELECT * FROM '${path('parquet')}/*.parquet'`),
    );
    expect(duck).toEqual(nested);
  });

  it('keeps the types of Parquet columns', async () => {
    const some = readParquet(flightsParquet).limit(1000);
    await some.writeParquet(path('flights'));
    const again = readParquet(path('flights'));
    expect(String(await again.schema())).toBe(String(await some.schema()));
    expect(await again.takeAll()).toEqual(await some.takeAll());
  });

  it('gives CSV and JSON lines that read back alike', async () => {
    await fromItems(rows).writeCsv(path('csv'), { rowsPerFile: 100 });
    expect(await readCsv(path('csv')).takeAll()).toEqual(rows);
    await fromItems(rows).writeJson(path('json'));
    const back = await readJson(path('json'), { types: { when: 'timestamp' } }).takeAll();
    expect(back).toEqual(rows);
    const duck = await withDuck((c) =>
      duckRows(c, `SELECT count(*)::INTEGER AS n FROM read_csv('${path('csv')}/*.csv')`),
    );
    expect(duck).toEqual([{ n: 257 }]);
  });

  it('leaves nothing when a function throws half-way', async () => {
    const failing = fromItems(rows).map((row) => {
      if (row['n'] === 199 / 3) throw new Error('half-way');
      return row;
    });
    await expect(failing.writeCsv(path('half'), { rowsPerFile: 10 })).rejects.toMatchObject({
      code: 'DATA_USER_FUNCTION',
    });
    expect(() => readdirSync(path('half'))).toThrow(/ENOENT/);
  });

  it('says that the disk is full and leaves nothing, in a folder that was there', async () => {
    mkdirSync(path('full'));
    writeFileSync(path('full/own.txt'), 'kept');
    let written = 0;
    const batches = fromItems(rows).iterBatches({ batchSize: 50, batchFormat: 'arrow' });
    const failing = writeFolder(path('full'), csvFormat, batches, { rowsPerFile: 60 }, async (file) => {
      const handle = await open(file, 'wx');
      return {
        sync: () => handle.sync(),
        close: () => handle.close(),
        writeFile: async (bytes) => {
          if (++written === 4)
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
          await handle.writeFile(bytes as Uint8Array);
        },
      };
    });
    await expect(failing).rejects.toMatchObject({ code: 'DATA_DISK_FULL' });
    expect(readdirSync(path('full'))).toEqual(['own.txt']);
  });

  it('refuses a folder with such files unless it may add or replace', async () => {
    const one = fromItems([{ a: 1 }]);
    await one.writeJson(path('modes'));
    await expect(one.writeJson(path('modes'))).rejects.toMatchObject({ code: 'DATA_ARGUMENT' });
    await one.writeJson(path('modes'), { mode: 'append' });
    expect(await readJson(path('modes')).count()).toBe(2);
    await one.writeJson(path('modes'), { mode: 'overwrite' });
    expect(readdirSync(path('modes'))).toEqual(['part-00000.jsonl']);
    expect(readFileSync(path('modes/part-00000.jsonl'), 'utf8')).toBe('{"a":1}\n');
  });

  it('says that a folder can not be made below a file', async () => {
    writeFileSync(path('file'), '');
    await expect(fromItems([{ a: 1 }]).writeCsv(path('file/below'))).rejects.toMatchObject({
      code: 'DATA_WRITE_FAILED',
    });
  });
});
