import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readCsv, readJson } from '../../../../coordinator/data/readFiles.ts';
import { readParquet } from '../../../../coordinator/data/readParquet.ts';
import { duckRows, withDuck } from '../support/duck.ts';
import { failureOf } from '../support/failureOf.ts';
import { ENCODING, handmadeParquet, levels, OPTIONAL, run, TYPE } from '../support/handmadeParquet.ts';
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
      'b.csv has the column "y", which the first file does not have; the option unionByName',
    );
    expect((await failureOf(readCsv(path('less')).takeAll())).message).toContain(
      'b.csv lacks the column "y"',
    );
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

describe('Parquet files whose columns differ', () => {
  const files = {
    a: `SELECT i::INTEGER AS id, 'p' || (i % 3) AS place, i::FLOAT AS ratio FROM range(5) t(i)`,
    b: `SELECT (i + 5000000000)::BIGINT AS id, (i / 4)::DOUBLE AS ratio, i % 2 = 0 AS late FROM range(4) t(i)`,
    c: `SELECT TIMESTAMP '2024-01-02 03:04:05' AS seen, 'q' AS place, 7::TINYINT AS id FROM range(2) t(i)`,
  };

  async function folderOf(name: string, tables: Readonly<Record<string, string>>): Promise<string> {
    mkdirSync(path(name), { recursive: true });
    await withDuck(async (duck) => {
      for (const [file, sql] of Object.entries(tables))
        await duck.run(`COPY (${sql}) TO '${path(name)}/${file}.parquet' (FORMAT parquet)`);
    });
    return path(name);
  }

  it('are read by name with unionByName, as DuckDB reads them', async () => {
    const folder = await folderOf('parquet-union', files);
    const dataset = readParquet(folder, { unionByName: true });
    expect(await dataset.columns()).toEqual(['id', 'place', 'ratio', 'late', 'seen']);
    expect(await dataset.count()).toBe(11);
    const columns = 'id, place, ratio, late, epoch_us(seen) AS seen';
    const duck = await withDuck((connection) =>
      duckRows(
        connection,
        `SELECT ${columns} FROM read_parquet('${folder}/*.parquet', union_by_name = true, filename = true) ORDER BY filename, id`,
      ),
    );
    const own = await dataset.takeAll();
    expect(
      own.map(({ id, seen, ...rest }) => ({
        id: BigInt(id as number),
        ...rest,
        seen: seen === null ? null : BigInt((seen as Date).getTime()) * 1000n,
      })),
    ).toEqual(
      duck.map(({ id, place, ratio, late, seen }) => ({
        id: BigInt(id as number),
        place,
        ratio,
        late,
        seen,
      })),
    );
    expect(await dataset.selectColumns(['late', 'place']).limit(6).takeAll()).toEqual([
      ...[0, 1, 2, 0, 1].map((i) => ({ late: null, place: `p${i}` })),
      { late: true, place: null },
    ]);
    expect(await readParquet(folder, { unionByName: true, columns: ['late'] }).columns()).toEqual(['late']);
  });

  it('are an error without it, which names the file, the column and the option', async () => {
    const folder = await folderOf('parquet-unlike', files);
    const failure = await failureOf(readParquet(folder, { columns: ['id'] }).takeAll());
    expect(failure).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'id' } });
    expect(failure.message).toContain(
      "b.parquet holds Int64; the first file's holds Int32; the option unionByName: true reads both.",
    );
  });

  it('are an error without it where a file has columns that the first one lacks', async () => {
    const folder = await folderOf('parquet-more', {
      a: 'SELECT 1 AS id',
      b: `SELECT 'x' AS note, 2 AS id, true AS late`,
    });
    const more =
      'b.parquet has the columns "note", "late", which the first file does not have; the option unionByName: true reads them';
    for (const dataset of [readParquet(folder), readParquet(folder).selectColumns(['id'])]) {
      const failure = await failureOf(dataset.takeAll());
      expect(failure).toMatchObject({
        code: 'DATA_TYPE_MISMATCH',
        place: { file: `${folder}/b.parquet`, column: 'note' },
      });
      expect(failure.message).toContain(more);
    }
    expect(await readParquet(folder, { columns: ['id'] }).takeAll()).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await readParquet(folder, { unionByName: true }).takeAll()).toEqual([
      { id: 1, note: null, late: null },
      { id: 2, note: 'x', late: true },
    ]);
  });

  it('are an error without it where a file lacks columns that are read', async () => {
    const folder = await folderOf('parquet-fewer', {
      a: 'SELECT 1 AS id, 2 AS x, 3 AS y',
      b: 'SELECT 4 AS id',
    });
    const failure = await failureOf(readParquet(folder).takeAll());
    expect(failure).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'x' } });
    expect(failure.message).toContain(
      'b.parquet lacks the columns "x", "y", which the first file has; the option unionByName: true takes them for missing.',
    );
    expect(await readParquet(folder).selectColumns(['id']).takeAll()).toEqual([{ id: 1 }, { id: 4 }]);
  });

  it('are an error with it where no type holds the values of a column', async () => {
    const folder = await folderOf('parquet-mixed', { a: 'SELECT 1 AS x', b: `SELECT 'one' AS x` });
    const failure = await failureOf(readParquet(folder, { unionByName: true }).takeAll());
    expect(failure).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'x' } });
    expect(failure.message).toContain('b.parquet holds Utf8; those before it hold Int32');
    const rounded = await folderOf('parquet-rounded', {
      a: 'SELECT 0.5::DOUBLE AS x',
      b: 'SELECT 9007199254740993::BIGINT AS x',
    });
    expect((await failureOf(readParquet(rounded, { unionByName: true }).takeAll())).message).toContain(
      'b.parquet',
    );
  });

  it('go with the columns of folders, and with a column that has no type because it has no value', async () => {
    const folder = await folderOf('parquet-parts/year=2024', { a: 'SELECT 1 AS x' });
    await folderOf('parquet-parts/year=2025', { b: `SELECT 'z' AS y, 2::BIGINT AS x` });
    expect(folder).toContain('year=2024');
    expect(await readParquet(path('parquet-parts'), { unionByName: true }).takeAll()).toEqual([
      { x: 1, y: null, year: 2024 },
      { x: 2, y: 'z', year: 2025 },
    ]);
    const [nulls, texts] = [path('nulls.parquet'), path('texts.parquet')];
    const column = { 1: TYPE.int32, 3: OPTIONAL, 4: 'x', 10: { 11: {} } };
    const pages = [{ entries: 2, encoding: ENCODING.plain, body: levels(run(2, 0)) }];
    writeFileSync(nulls, handmadeParquet([column], 1, 2, [{ path: ['x'], type: TYPE.int32, pages }]));
    await withDuck((duck) => duck.run(`COPY (SELECT 'z' AS x) TO '${texts}' (FORMAT parquet)`));
    for (const order of [
      [nulls, texts],
      [texts, nulls],
    ]) {
      const rows = await readParquet(order, { unionByName: true }).takeAll();
      expect(rows.map(({ x }) => x).filter((x) => x !== null)).toEqual(['z']);
      expect(rows).toHaveLength(3);
    }
    expect(await readParquet(nulls, { unionByName: true }).takeAll()).toEqual([{ x: null }, { x: null }]);
  });
});
