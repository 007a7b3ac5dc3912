import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readCsv, readJson } from '../../../../coordinator/data/readFiles.ts';
import { readParquet } from '../../../../coordinator/data/readParquet.ts';
import { duckRows, withDuck } from '../support/duck.ts';
import { failureOf } from '../support/failureOf.ts';
import { scratchFolder } from '../support/scratch.ts';

const path = scratchFolder();

function written(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
  }
}

describe('folders named like year=2024', () => {
  it('are columns of Parquet files, as DuckDB wrote and reads them', async () => {
    const folder = path('hive');
    const sql = `SELECT i AS v, 2020 + i % 3 AS year, ['a b', 'c/d', NULL][1 + i % 3] AS place FROM range(30) t(i)`;
    const duck = await withDuck(async (connection) => {
      await connection.run(`COPY (${sql}) TO '${folder}' (FORMAT parquet, PARTITION_BY (year, place))`);
      return duckRows(
        connection,
        `SELECT v, year, place FROM read_parquet('${folder}/**/*.parquet', hive_partitioning = true) ORDER BY v`,
      );
    });
    const rows = await readParquet(folder).sort('v').takeAll();
    expect(rows).toEqual(duck.map(({ v, year, place }) => ({ v: Number(v), year: Number(year), place })));
    expect(rows.filter(({ place }) => place === null)).toHaveLength(10);
    expect(await readParquet(folder).selectColumns(['year']).sort('year').take(1)).toEqual([{ year: 2020 }]);
    expect(await readParquet(folder, { columns: ['place', 'v'] }).columns()).toEqual(['place', 'v']);
    expect(await readParquet(folder, { hivePartitioning: false }).columns()).toEqual(['v']);
    expect((await failureOf(readParquet(folder, { columns: ['yaer'] }).columns())).message).toContain(
      '"year"',
    );
  });

  it("are columns of text files, and a file's own column comes first", async () => {
    written({
      'text/month=01/a.csv': 'v\n1\n',
      'text/month=02/_part=x/b.csv.gz': gzipSync('v,month\n2,7\n'),
      'text/month=02/c.csv': 'v\n3\n',
    });
    expect(await readCsv(path('text'), { unionByName: true }).sort('v').takeAll()).toEqual([
      { v: 1, month: 1, _part: null },
      { v: 2, month: 7, _part: 'x' },
      { v: 3, month: 2, _part: null },
    ]);
    expect(await readCsv([path('text/month=01'), path('text/month=02/c.csv')]).takeAll()).toEqual([
      { v: 1 },
      { v: 3 },
    ]);
  });
});

describe('text files whose columns differ', () => {
  it('are an error that names file, column and what to do', async () => {
    written({
      'more/a.csv': 'x\n1\n',
      'more/b.csv': 'x,y\n2,3\n',
      'less/a.csv': 'x,y\n2,3\n',
      'less/b.csv': 'x\n1\n',
    });
    const more = await failureOf(readCsv(path('more')).takeAll());
    expect(more).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'y' } });
    expect(more.message).toContain(
      'b.csv has a column "y", which the first file does not have; the option unionByName',
    );
    expect((await failureOf(readCsv(path('less')).takeAll())).message).toContain('b.csv has no column "y"');
    expect(await readCsv(path('less')).selectColumns(['x']).takeAll()).toEqual([{ x: 2 }, { x: 1 }]);
    expect(await readCsv(path('more'), { columns: ['x'] }).takeAll()).toEqual([{ x: 1 }, { x: 2 }]);
  });

  it('are read by name with unionByName, as DuckDB reads them', async () => {
    written({
      'union/a.csv': 'b,a\n1,x\n',
      'union/b.csv': 'a,c\ny,2.5\n',
      'union/c.csv': 'c,b\n3,90071992547\n',
      'union/d.csv': 'a\n',
    });
    const own = await readCsv(path('union'), { unionByName: true }).sort('b').takeAll();
    const duck = await withDuck((connection) =>
      duckRows(
        connection,
        `SELECT b, a, c FROM read_csv('${path('union')}/*.csv', union_by_name = true, header = true) ORDER BY b NULLS LAST`,
      ),
    );
    expect(own.map(({ b, a, c }) => ({ b: b === null ? null : BigInt(b as number), a, c }))).toEqual(duck);
    written({ 'mixed/a.jsonl': '{"x":1}\n', 'mixed/b.jsonl': '{"x":"one"}\n' });
    expect((await failureOf(readJson(path('mixed'), { unionByName: true }).takeAll())).message).toContain(
      'Column "x" of',
    );
  });

  it('have the types of the first file that has rows', async () => {
    written({ 'empty/a.csv': 'x,y\n', 'empty/b.csv': 'x,y\n1,2\n' });
    expect(await readCsv(path('empty')).takeAll()).toEqual([{ x: 1, y: 2 }]);
  });
});
