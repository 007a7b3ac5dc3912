import { readFileSync, writeFileSync } from 'node:fs';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { readArrow, readCsv, readJson } from '../../../coordinator/data/readFiles.ts';
import { duckRows, withDuck } from './support/duck.ts';
import { failureOf } from './support/failureOf.ts';
import { flightsArrow, sampleData, scratchFolder, vegaData } from './support/scratch.ts';

const path = scratchFolder();

function write(name: string, text: string): string {
  writeFileSync(path(name), text);
  return path(name);
}

/** Whether the value is what the text of a field stands for. */
function means(value: unknown, text: unknown): boolean {
  if (typeof value === 'number') return value === Number(text);
  if (value instanceof Date) return value.toISOString().startsWith(String(text).slice(0, 10));
  return value === null
    ? [null, 'NaN', 'NA'].includes(text as string)
    : JSON.stringify(value).replace(/^"|"$/g, '').replaceAll('\\"', '"') === text;
}

const csv = (text: string, options = {}): Promise<unknown> =>
  readCsv(write('x.csv', text), options).takeAll();

describe('reading CSV', () => {
  it('infers numbers, booleans, times and strings, and takes empty fields as missing', async () => {
    const rows = await csv(
      'n,b,t,s,when\n1,true,x,a,2020-01-02\n-2.5e3,false,,"",2020-01-02T03:04:05\nNA,TRUE,y,NA,\n',
    );
    expect(rows).toEqual([
      { n: 1, b: true, t: 'x', s: 'a', when: new Date('2020-01-02T00:00:00Z') },
      { n: -2500, b: false, t: null, s: '', when: new Date('2020-01-02T03:04:05Z') },
      { n: null, b: true, t: 'y', s: 'NA', when: null },
    ]);
  });

  it('understands quotes, doubled quotes, breaks inside quotes, CRLF, a byte order mark and a missing last break', async () => {
    expect(await csv('\uFEFFa,b\r\n"x, ""y""","line\r\nbreak"\r\n\r\n1,"2"')).toEqual([
      { a: 'x, "y"', b: 'line\r\nbreak' },
      { a: '1', b: '2' },
    ]);
  });

  it('names file and line of a ragged row', async () => {
    const error = await failureOf(csv('a,b\n1,2\n"multi\nline",4\n5\n'));
    expect(error.code).toBe('DATA_ROW_MALFORMED');
    expect(error.message).toContain('x.csv, line 5: 1 fields where 2 are expected');
  });

  it('names the line where a quote is opened and never closed, or text goes on behind it', async () => {
    expect((await failureOf(csv('a\n1\n"open\n2\n3\n'))).message).toContain('line 3: a quote is opened');
    expect((await failureOf(csv('a,b\n"x"y,2\n'))).message).toContain(
      'line 2: field 1 goes on after its closing quote',
    );
  });

  it('names line and column of a text among numbers, and takes the option that the message names', async () => {
    const text = 'a,b\n1,2\n3,4\n5,x\n';
    const error = await failureOf(csv(text, { batchRows: 2 }));
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.message).toContain('line 4: column "b" holds "x" where a number is expected');
    expect(await csv(text, { batchRows: 2, types: { b: 'string' } })).toHaveLength(3);
  });

  it('refuses text that is not UTF-8', async () => {
    writeFileSync(path('latin.csv'), Buffer.from('a\nK\xf6ln\n', 'latin1'));
    expect((await failureOf(readCsv(path('latin.csv')).takeAll())).code).toBe('DATA_FILE_CORRUPT');
  });

  it('gives the same whatever pieces the file is read in', async () => {
    const text = `a,b\n${Array.from({ length: 30_000 }, (_, i) => `${i},"näme ""${i}"" €"`).join('\n')}\n`;
    const rows = (await csv(text)) as { a: number; b: string }[];
    expect(rows).toHaveLength(30_000);
    expect(rows.every(({ a, b }, i) => a === i && b === `näme "${i}" €`)).toBe(true);
  });

  for (const name of ['diamonds.csv', 'penguins.csv', 'olympians.csv', 'weather.csv']) {
    it(`agrees with DuckDB on ${name}`, async () => {
      const rows = await readCsv(sampleData(name)).takeAll();
      const expected = await withDuck((duck) =>
        duckRows(duck, `SELECT * FROM read_csv('${sampleData(name)}', all_varchar = true)`),
      );
      expect(rows).toHaveLength(expected.length);
      const different = rows.flatMap((row, i) =>
        Object.entries(expected[i]!).filter(([column, text]) => !means(row[column], text)),
      );
      expect(different).toEqual([]);
    });
  }
});

describe('reading JSON', () => {
  it('reads lines and arrays alike', async () => {
    const expected = [
      { a: 1, b: 'x]},{"', c: { d: [1, 2] } },
      { a: null, b: 'ü\\"', c: null },
    ];
    const lines = write('x.jsonl', `${expected.map((row) => JSON.stringify(row)).join('\n')}\n\n`);
    const array = write('x.json', JSON.stringify(expected, null, 2));
    expect(await readJson(lines).takeAll()).toEqual(expected);
    expect(await readJson(array).takeAll()).toEqual(expected);
  });

  it('reads the 200,000 flights of an array in pieces as JSON.parse does at once', async () => {
    const file = vegaData('flights-200k.json');
    const expected = JSON.parse(readFileSync(file, 'utf8')) as { delay: number }[];
    let rows = 0;
    let delay = 0;
    for await (const batch of readJson(file).streamColumns(['delay'])) {
      const [column] = batch.columns;
      if (column?.kind === 'numeric')
        delay += Array.from(column.values).reduce((all, value) => all + value, 0);
      rows += batch.rows;
    }
    expect(rows).toBe(expected.length);
    expect(delay).toBe(expected.reduce((all, row) => all + row.delay, 0));
  });

  it('names file and line of what does not parse, is no object, or is cut off', async () => {
    const fails = async (text: string): Promise<string> =>
      (await failureOf(readJson(write('bad.json', text)).takeAll())).message;
    expect(await fails('{"a":1}\n{"a":}\n')).toContain('bad.json, line 2');
    expect(await fails('{"a":1}\n7\n')).toContain('bad.json, line 2: 7 where an object is expected');
    expect(await fails('[{"a":1},\n{"a":2}')).toContain('the array is not closed');
    expect(await fails('[{"a":1}]\n{}')).toContain('line 2: there is more after the end');
  });

  it('names line and column when kinds are mixed, and takes the option that the message names', async () => {
    const file = write('mixed.jsonl', '{"a":1}\n{"a":"x"}\n');
    const error = await failureOf(readJson(file).takeAll());
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.message).toContain('line 2, column "a"');
    expect(await readJson(file, { types: { a: 'string' } }).takeAll()).toEqual([{ a: '1' }, { a: 'x' }]);
  });
});

describe('reading Arrow', () => {
  it('reads the flights file as Arrow itself does', async () => {
    const table = arrow.tableFromIPC(readFileSync(flightsArrow));
    expect(await readArrow(flightsArrow).count()).toBe(table.numRows);
    const [name] = table.schema.fields.map((field) => field.name);
    const [first] = await readArrow(flightsArrow).take(1);
    expect(Number(first![name!])).toBe(Number(table.getChild(name!)!.get(0)));
  });

  it('calls a truncated file and noise damaged', async () => {
    const bytes = readFileSync(flightsArrow);
    writeFileSync(path('cut.arrow'), bytes.subarray(0, bytes.length / 2));
    expect((await failureOf(readArrow(path('cut.arrow')).count())).code).toBe('DATA_FILE_CORRUPT');
    writeFileSync(path('noise.arrow'), 'this is not Arrow at all, but it is long enough');
    expect((await failureOf(readArrow(path('noise.arrow')).count())).code).toBe('DATA_FILE_CORRUPT');
  });

  it('reads streams, with dictionaries that change between batches', async () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 7);
    const batches = [
      ['a', 'b', null, 'a'],
      ['c', 'b'],
    ].flatMap((values) => new arrow.Table({ word: arrow.vectorFromArray(values, type) }).batches);
    const writer = new arrow.RecordBatchStreamWriter();
    for (const batch of batches) writer.write(batch);
    writer.finish();
    writeFileSync(path('stream.arrows'), writer.toUint8Array(true));
    const rows = await readArrow(path('stream.arrows')).takeAll();
    expect(rows.map(({ word }) => word)).toEqual(['a', 'b', null, 'a', 'c', 'b']);
  });
});
