import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { readJson } from '../../../../coordinator/data/readFiles.ts';
import type { ReadTextOptions } from '../../../../coordinator/data/readOptions.ts';
import { jsonRecords } from '../../../../coordinator/data/text/jsonRecords.ts';
import { parseJson } from '../../../../coordinator/data/text/parseJson.ts';
import { duckRows, withDuck } from '../support/duck.ts';
import { failureOf } from '../support/failureOf.ts';
import { scratchFolder } from '../support/scratch.ts';

const path = scratchFolder();
let files = 0;

function written(content: string | Uint8Array, ending = '.jsonl'): string {
  const file = path(`${files++}${ending}`);
  writeFileSync(file, content);
  return file;
}

const json = (text: string, options: ReadTextOptions = {}): Promise<Record<string, unknown>[]> =>
  readJson(written(text), options).takeAll();

async function* cut(text: string, chars: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += chars) yield await Promise.resolve(text.slice(at, at + chars));
}

describe('values of JSON', () => {
  it('are those of JSON.parse where that keeps them', () => {
    const texts = [
      '{"a":[1,-2.5e-3,true,false,null,"\\u00e9\\n\\"]}"],"b":{},"c":[]}',
      ' [ { "x" : [ ] } , "1234567890123456" ] ',
      '{"__proto__":1,"n":1234567890123456.5}',
    ];
    for (const text of texts) {
      // The digits send it through the parser of this library.
      const forced = `[${text},1234567890123456789]`;
      expect((parseJson(forced) as unknown[])[0]).toEqual(JSON.parse(text));
    }
  });

  it('are refused where JSON.parse refuses them, but for NaN and infinities', () => {
    const wrong = [
      '[1 2',
      '[01]',
      '[1.]',
      '{"a"}',
      '{a:1}',
      '[1,]',
      '["\n"]',
      '[tru]',
      '[nan]',
      '[1]]',
      '[-]',
      '[.5]',
    ];
    for (const text of wrong) {
      expect(() => parseJson(`${text} `)).toThrow();
      expect(() => parseJson(`[1234567890123456789,${text}]`)).toThrow();
    }
    expect(parseJson('[NaN,Infinity,-Infinity]')).toEqual([Number.NaN, Infinity, -Infinity]);
  });

  it('keep whole numbers of 64 bits, and are written so that they are read alike', async () => {
    const rows = [
      { a: 2n ** 63n - 1n, n: [1n, 2n ** 60n + 1n] },
      { a: 1, n: [] },
      { a: -(2n ** 53n) - 1n, n: null },
    ];
    await fromItems(rows).writeJson(path('wide'));
    const text = readFileSync(path('wide/part-00000.jsonl'), 'utf8');
    expect(text).toBe(
      '{"a":9223372036854775807,"n":[1,1152921504606846977]}\n{"a":1,"n":[]}\n{"a":-9007199254740993,"n":null}\n',
    );
    expect(await readJson(path('wide')).takeAll()).toEqual([
      { a: 2n ** 63n - 1n, n: [1, 2n ** 60n + 1n] },
      { a: 1, n: [] },
      { a: -(2n ** 53n) - 1n, n: null },
    ]);
    const duck = await withDuck((connection) =>
      duckRows(connection, `SELECT a FROM read_json('${path('wide')}/*.jsonl')`),
    );
    expect(duck.map(({ a }) => a)).toEqual([2n ** 63n - 1n, 1n, -(2n ** 53n) - 1n]);
  });

  it('that no column holds exactly are refused with file, line and column', async () => {
    const error = await failureOf(json('{"a":0.5}\n{"a":9007199254740993}\n'));
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.message).toMatch(/line 2, column "a": .*doubles would round/);
    const later = await failureOf(json('{"a":1}\n{"a":9007199254740993}\n', { batchRows: 1 }));
    expect(later.message).toContain('line 2');
    expect(await json('{"a":9007199254740993}\n', { types: { a: 'string' } })).toEqual([
      { a: '9007199254740993' },
    ]);
    expect(await json('{"a":"12"}\n{"a":3}\n', { types: { a: 'number' } })).toEqual([{ a: 12 }, { a: 3 }]);
    expect((await failureOf(json('{"a":"x"}\n', { types: { a: 'number' } }))).code).toBe(
      'DATA_TYPE_MISMATCH',
    );
    expect((await failureOf(json('{"t":"2024-02-30"}\n', { types: { t: 'timestamp' } }))).code).toBe(
      'DATA_TYPE_MISMATCH',
    );
  });

  it('are read as Python writes NaN, as DuckDB reads them', async () => {
    const file = written('{"x":1}\n{"x":NaN}\n{"x":-Infinity}\n');
    const duck = await withDuck((connection) => duckRows(connection, `SELECT x FROM read_json('${file}')`));
    expect(await readJson(file).takeAll()).toEqual(duck);
  });

  it('may be members named like those of Object.prototype, there or not', async () => {
    const rows = await json('{"constructor":1,"__proto__":"a"}\n{"toString":2}\n');
    expect(rows.map((row) => Object.entries(row))).toEqual([
      [
        ['constructor', 1],
        ['__proto__', 'a'],
        ['toString', null],
      ],
      [
        ['constructor', null],
        ['__proto__', null],
        ['toString', 2],
      ],
    ]);
    expect(await json('{"s":{"constructor":1}}\n{"s":{"x":2}}\n')).toEqual([
      { s: { constructor: 1, x: null } },
      { s: { constructor: null, x: 2 } },
    ]);
  });

  it('come from compressed files, too', async () => {
    expect(await readJson(written(gzipSync('{"a":1}\n{"a":2}\n'), '.jsonl.gz')).takeAll()).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
  });
});

describe('the shape of JSON', () => {
  it('is bounded in depth, with file and line', async () => {
    for (const depth of [101, 5000, 200_000]) {
      const error = await failureOf(json(`{"a":1}\n{"a":${'['.repeat(depth)}1${']'.repeat(depth)}}\n`));
      expect(error).toMatchObject({ code: 'DATA_ROW_MALFORMED', place: { row: 2 } });
      expect(error.message).toContain('line 2: it is nested more than 100 levels deep');
    }
    expect(await json(`{"a":"${'['.repeat(500)}"}\n`)).toHaveLength(1);
    expect(await json(`{"a":${'['.repeat(99)}1${']'.repeat(99)}}\n`)).toHaveLength(1);
  });

  it('is bounded in different members, of rows and of nested objects', async () => {
    const row = `{${Array.from({ length: 10_001 }, (_, i) => `"k${i}":1`).join(',')}}`;
    expect(await failureOf(json(`{"k0":2}\n${row}\n`))).toMatchObject({
      code: 'DATA_ROW_MALFORMED',
      place: { row: 2 },
    });
    const rows = Array.from({ length: 4000 }, (_, i) => `{"k${i}":1}`).join('\n');
    expect((await failureOf(json(rows))).message).toContain('does not occur in the first rows');
    const nested = Array.from({ length: 10_001 }, (_, i) => `{"o":{"k${i}":1}}`).join('\n');
    expect((await failureOf(json(nested))).message).toContain('objects of 10001 different members');
  });

  it('is the same in pieces of any length, in lines and in arrays', async () => {
    const rows = [{ a: 'x"y\\' }, { a: '[{,' }, { a: [{ b: null }] }];
    for (const text of [JSON.stringify(rows, null, 1), rows.map((row) => JSON.stringify(row)).join('\r\n')])
      for (const chars of [1, 2, 5, 1000]) {
        const out: unknown[] = [];
        for await (const records of jsonRecords(cut(`\n ${text}`, chars), 'in.json'))
          out.push(...records.map(({ value }) => value));
        expect(out).toEqual(rows);
      }
  });

  it('of one long record takes time in proportion to its length', async () => {
    const timeOf = async (chars: number): Promise<number> => {
      const started = performance.now();
      for await (const records of jsonRecords(cut(`[{"a":"${'[\\"'.repeat(chars / 3)}"}]`, 64), 'in.json'))
        expect(records.length).toBeLessThan(2);
      return performance.now() - started;
    };
    await timeOf(150_000);
    const [short, long] = [await timeOf(150_000), await timeOf(2_400_000)];
    expect(long / short).toBeLessThan(80);
  });

  it('skips folders that are hidden or unfinished', async () => {
    for (const folder of ['', '_temporary', '.hidden', '_delta_log', 'good']) {
      mkdirSync(path(`folder/${folder}`), { recursive: true });
      writeFileSync(path(`folder/${folder}/part.jsonl`), '{"a":1}\n');
    }
    expect(await readJson(path('folder')).count()).toBe(2);
  });
});
