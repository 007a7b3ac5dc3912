import { writeFileSync } from 'node:fs';
import { gzipSync, brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../../../coordinator/data/readFiles.ts';
import type { ReadCsvOptions } from '../../../../coordinator/data/readOptions.ts';
import { duckRows, withDuck } from '../support/duck.ts';
import { failureOf } from '../support/failureOf.ts';
import { scratchFolder } from '../support/scratch.ts';
import { concatenated, endlessWeights, frame, raw, repeated } from '../support/zstdFrames.ts';

const path = scratchFolder();
let files = 0;

function written(content: string | Uint8Array, ending = '.csv'): string {
  const file = path(`${files++}${ending}`);
  writeFileSync(file, content);
  return file;
}

const csv = (text: string, options: ReadCsvOptions = {}): Promise<Record<string, unknown>[]> =>
  readCsv(written(text), options).takeAll();
const values = async (text: string, options: ReadCsvOptions = {}): Promise<unknown[]> =>
  (await csv(text, options)).map((row) => Object.values(row)[0]);

describe('numbers of CSV', () => {
  it('may have blanks around them', async () => {
    expect(await csv('age, hours ,s\n39, 40 , x\n 50,\t13,y \n , ,\n')).toEqual([
      { age: 39, hours: 40, s: ' x' },
      { age: 50, hours: 13, s: 'y ' },
      { age: null, hours: null, s: null },
    ]);
    expect(await values('s,t\n x ,1\n', { trim: true })).toEqual(['x']);
  });

  it('are missing where a word says so', async () => {
    const words = ['', '<NA>', 'Null', '-nan', 'NaN', 'N/A', 'None', '#N/A', '1.#IND'];
    expect(await values(`x,y\n1,0\n${words.map((word) => `${word},0`).join('\n')}\n`)).toEqual([
      1,
      ...words.map(() => null),
    ]);
    expect(await csv('x,s\n1,NA\n-,-\nNA,x\n', { nullValues: ['-'], types: { x: 'string' } })).toEqual([
      { x: '1', s: 'NA' },
      { x: null, s: null },
      { x: 'NA', s: 'x' },
    ]);
  });

  it('beyond 2^53 are 64-bit integers, and text beyond those, as no two may merge', async () => {
    const ids = ['1344800117571260417', '1344800117571260418', '-9223372036854775808', '7'];
    const [row] = await withDuck((duck) =>
      duckRows(duck, `SELECT id FROM read_csv('${written(`id\n${ids.join('\n')}\n`)}')`),
    );
    expect(await values(`id\n${ids.join('\n')}\n`)).toEqual([...ids.slice(0, 3).map(BigInt), 7]);
    expect(row).toEqual({ id: BigInt(ids[0]!) });
    expect(await values('id\n99999999999999999999\n99999999999999999998\n')).toEqual([
      '99999999999999999999',
      '99999999999999999998',
    ]);
  });

  it('that a double would round are refused in a column of doubles, unless it is named one', async () => {
    const text = 'id\n1\n9007199254740993\n';
    const error = await failureOf(values(text, { batchRows: 1 }));
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.message).toContain('line 3: column "id" holds "9007199254740993"');
    expect(error.message).toContain('{ "id": "int64" }');
    expect(await values(text, { batchRows: 1, types: { id: 'int64' } })).toEqual([1, 9007199254740993n]);
    expect(await values(text, { batchRows: 1, types: { id: 'number' } })).toEqual([1, 9007199254740992]);
  });

  it('may have a comma for the fraction, and signs between thousands', async () => {
    expect(
      await csv('a;b\n1.234.567,5;-1,5\n12;.5\n', { delimiter: ';', decimal: ',', thousands: '.' }),
    ).toEqual([
      { a: 1234567.5, b: '-1,5' },
      { a: 12, b: '.5' },
    ]);
    expect(await values('a\n"1,234.5"\n"1,234,567"\n12\n', { thousands: ',' })).toEqual([
      1234.5, 1234567, 12,
    ]);
    // Not in groups of three.
    expect(await values('a\n"12,34"\n', { thousands: ',' })).toEqual(['12,34']);
  });

  it('of a hundred thousand digits take no longer than reading them', async () => {
    const digits = '1'.repeat(100_000);
    const started = performance.now();
    expect(await values(`s\n${digits}x\n${digits}.${digits}e\n`)).toHaveLength(2);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('times of CSV', () => {
  it('keep their microseconds, also before 1970', async () => {
    const text = 't\n2024-01-01 00:00:00.000001\n1969-12-31T23:59:59.999999Z\n0001-02-03T04:05:06+05:30\n';
    const file = written(text);
    const fields = (await readCsv(file).schema()).fields.map(({ type }) => String(type));
    expect(fields).toEqual(['Timestamp<MICROSECOND>']);
    for await (const batch of readCsv(file).iterArrow()) {
      const own = Array.from(batch.data.children[0]!.values as BigInt64Array);
      const duck = await withDuck((connection) =>
        duckRows(connection, `SELECT epoch_us(t::TIMESTAMPTZ) AS us FROM read_csv('${file}')`),
      );
      expect(own).toEqual(duck.map(({ us }) => us));
    }
    await readCsv(file).writeCsv(path('times'));
    expect(await readCsv(path('times')).takeAll()).toEqual(await readCsv(file).takeAll());
  });

  it('on days that there are not are text, and refused among times', async () => {
    expect(await values('d\n2024-02-30\n')).toEqual(['2024-02-30']);
    expect(await values('d\n2023-02-29\n')).toEqual(['2023-02-29']);
    expect(await values('d\n2024-02-29\n')).toEqual([new Date('2024-02-29')]);
    const error = await failureOf(values('d\n2024-01-01\n2024-13-01\n', { batchRows: 1 }));
    expect(error.message).toContain('line 3: column "d" holds "2024-13-01" where a time');
  });

  it('finer than the first rows are refused rather than cut', async () => {
    const text = 't\n2024-01-01T00:00:00\n2024-01-01T00:00:00.0000001\n';
    expect((await failureOf(values(text, { batchRows: 1 }))).code).toBe('DATA_TYPE_MISMATCH');
    expect(await values(text, { batchRows: 1, types: { t: 'timestamp[ns]' } })).toHaveLength(2);
  });
});

describe('the shape of CSV', () => {
  it('is kept for names of Object.prototype', async () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
    const [row] = await csv(`${names.join(',')}\n1,2,3,4\n`);
    expect(Object.entries(row!)).toEqual(names.map((name, i) => [name, i + 1]));
    const types = JSON.parse('{"__proto__": "string"}') as ReadCsvOptions['types'];
    expect(Object.values((await csv(`${names.join(',')}\n1,2,3,4\n`, { types: types! }))[0]!)).toEqual([
      1,
      '2',
      3,
      4,
    ]);
  });

  it('has the columns of a header without rows, and a free name for one without', async () => {
    expect(await readCsv(written('a,b\n')).columns()).toEqual(['a', 'b']);
    expect(await csv(',f0,f1\n0,1.5,4\n')).toEqual([{ f0_1: 0, f0: 1.5, f1: 4 }]);
  });

  it('has a missing value for a blank line where there is one column, as DuckDB has', async () => {
    for (const text of ['a\n1\n\n2\n\n', 'a\r\rx\r']) {
      const file = written(text);
      const duck = await withDuck((connection) => duckRows(connection, `SELECT a FROM read_csv('${file}')`));
      expect(await readCsv(file).takeAll()).toEqual(
        duck.map(({ a }) => ({ a: typeof a === 'bigint' ? Number(a) : a })),
      );
    }
  });

  it('is bounded by time in the number of columns', async () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `c${i}`);
    const started = performance.now();
    expect(await readCsv(written(`${names.join(',')}\n`)).columns()).toHaveLength(30_000);
    expect(
      (await failureOf(readCsv(written(`${[...names, 'c7'].join(',')}\n`)).columns())).message,
    ).toContain('the header names "c7" twice');
    expect(performance.now() - started).toBeLessThan(20_000);
  }, 60_000);
});

describe('encodings of CSV', () => {
  it('are those that the owner names, and UTF-16 by its mark', async () => {
    const latin = Buffer.from('s\nC\u00d4TE\n', 'latin1');
    const error = await failureOf(readCsv(written(latin)).takeAll());
    expect(error.message).toContain('is not UTF-8 text');
    expect(error.message).toContain('encoding');
    expect(await readCsv(written(latin), { encoding: 'latin1' }).takeAll()).toEqual([{ s: 'CÔTE' }]);
    expect(await readCsv(written(Buffer.from('\ufeffs\nCÔTE\n', 'utf16le'))).takeAll()).toEqual([
      { s: 'CÔTE' },
    ]);
  });

  it('are refused before anything is read when there is none of that name, as are other options', () => {
    const wrong: [ReadCsvOptions, RegExp][] = [
      [{ encoding: 'klingon' }, /encoding is "klingon"/],
      [{ delimiter: ';;' }, /delimiter is ";;"; expected one character/],
      [{ delimiter: '"' }, /delimiter is/],
      [{ decimal: ',' }, /decimal "," is the delimiter, too/],
      [{ thousands: 'x' }, /thousands is "x"/],
      [{ thousands: '.' }, /another sign than decimal/],
      [{ types: { a: 'constructor' as 'string' } }, /^types\.a is "constructor"; expected one of/],
      [{ columnNames: ['a', 'a'] }, /two columns named "a"/],
    ];
    for (const [options, message] of wrong) expect(() => readCsv('x.csv', options)).toThrow(message);
  });
});

describe('compressed CSV', () => {
  const text = `a,b\n${Array.from({ length: 5000 }, (_, i) => `${i},x${i}`).join('\n')}\n`;

  it('is read from gzip, also of several members, Brotli and Zstandard', async () => {
    const halves = [text.slice(0, 10_000), text.slice(10_000)].map((half) => gzipSync(half));
    const expected = await csv(text);
    expect(await readCsv(written(gzipSync(text), '.csv.gz')).takeAll()).toEqual(expected);
    expect(await readCsv(written(Buffer.concat(halves), '.csv.gz')).takeAll()).toEqual(expected);
    expect(await readCsv(written(brotliCompressSync(text), '.csv.br')).takeAll()).toEqual(expected);
    const zst = path('duck.csv.zst');
    await withDuck((duck) =>
      duck.run(
        `COPY (SELECT i AS a, 'x' || i AS b FROM range(5000) t(i)) TO '${zst}' (FORMAT csv, COMPRESSION zstd)`,
      ),
    );
    expect(await readCsv(zst).takeAll()).toEqual(expected);
  });

  it('is found in folders, and a tab separates .tsv.gz', async () => {
    expect(await readCsv(written(gzipSync('a\tb\n1\t2\n'), '.tsv.gz')).takeAll()).toEqual([{ a: 1, b: 2 }]);
  });

  it('that is cut off or damaged is named, with its compression', async () => {
    const whole = gzipSync(text);
    const cutOff = await failureOf(readCsv(written(whole.subarray(0, -20), '.csv.gz')).takeAll());
    expect(cutOff.code).toBe('DATA_FILE_CORRUPT');
    expect(cutOff.message).toContain('gzip compression can not be undone');
    const noise = whole.slice();
    noise.fill(255, 30, 60);
    expect((await failureOf(readCsv(written(noise, '.csv.gz')).takeAll())).code).toBe('DATA_FILE_CORRUPT');
    // A frame that asks for a window of 2 GiB.
    const greedy = Uint8Array.from([
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0,
      21 << 3,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    expect((await failureOf(readCsv(written(greedy, '.csv.zst')).takeAll())).code).toBe('DATA_FILE_CORRUPT');
  });

  it('is read to the last of several Zstandard frames, and refused where one is cut off or never ends', async () => {
    const frames = concatenated(frame([raw('a,b\n1,')]), frame([repeated('2', 3), raw('\n')]));
    expect(await readCsv(written(frames, '.csv.zst')).takeAll()).toEqual([{ a: 1, b: 222 }]);
    for (const damaged of [frames.subarray(0, -1), endlessWeights()]) {
      const failure = await failureOf(readCsv(written(damaged, '.csv.zst')).takeAll());
      expect(failure.code).toBe('DATA_FILE_CORRUPT');
      expect(failure.message).toContain('zstd compression can not be undone');
    }
  });

  it('of a thousand times its size is read as a stream', async () => {
    const file = written(gzipSync(`a\n${'1\n'.repeat(20_000_000)}`), '.csv.gz');
    const before = process.memoryUsage().rss;
    let rows = 0;
    for await (const batch of readCsv(file).limit(3_000_000).iterArrow()) rows += batch.numRows;
    expect(rows).toBe(3_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  }, 120_000);
});
