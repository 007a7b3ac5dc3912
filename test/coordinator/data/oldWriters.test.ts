import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import type { ReadParquetOptions } from '../../../coordinator/data/readOptions.ts';
import { duckRows, withDuck } from './support/duck.ts';
import {
  CODEC,
  CONVERTED,
  ENCODING,
  element,
  handmadeParquet,
  int32s,
  int64s,
  levels,
  OPTIONAL,
  REPEATED,
  REQUIRED,
  run,
  strings,
  TYPE,
  type Column,
  type Page,
  type Thrift,
} from './support/handmadeParquet.ts';
import { scratchFolder } from './support/scratch.ts';

const path = scratchFolder();
let files = 0;

function written(bytes: Uint8Array): string {
  const file = path(`${files++}.parquet`);
  writeFileSync(file, bytes);
  return file;
}

const rowsOf = (bytes: Uint8Array, options: ReadParquetOptions = {}): Promise<unknown[]> =>
  readParquet(written(bytes), options).takeAll();

/** One column of pages. */
function single(
  column: Thrift,
  rows: number,
  type: number,
  pages: readonly Page[],
  odd: Partial<Column> = {},
): Uint8Array {
  return handmadeParquet([column], 1, rows, [{ path: [column[4] as string], type, pages, ...odd }]);
}

const int = (name: string, repetition: number): Thrift => element(name, repetition, { 1: TYPE.int32 });
const text = (name: string, repetition: number): Thrift =>
  element(name, repetition, { 1: TYPE.bytes, 6: CONVERTED.utf8 });

describe('lists of old writers', () => {
  it('of two levels, of which the inner one is a struct of two fields', async () => {
    const bytes = handmadeParquet(
      [
        element('l', OPTIONAL, { 5: 1, 6: CONVERTED.list }),
        element('item', REPEATED, { 5: 2 }),
        int('a', REQUIRED),
        int('b', REQUIRED),
      ],
      1,
      2,
      ['a', 'b'].map((name, i) => ({
        path: ['l', 'item', name],
        type: TYPE.int32,
        pages: [
          {
            entries: 3,
            body: [
              ...levels(run(1, 0), run(1, 1), run(1, 0)),
              ...levels(run(3, 2)),
              ...int32s(1 + 3 * i, 2 + 3 * i, 3 + 3 * i),
            ],
          },
        ],
      })),
    );
    const expected = [
      {
        l: [
          { a: 1, b: 4 },
          { a: 2, b: 5 },
        ],
      },
      { l: [{ a: 3, b: 6 }] },
    ];
    expect(await rowsOf(bytes)).toEqual(expected);
    expect(await withDuck((duck) => duckRows(duck, `SELECT * FROM '${written(bytes)}'`))).toEqual(expected);
  });

  it('take the repeated group for the element when it is called array, or after the list', async () => {
    for (const name of ['array', 'l_tuple']) {
      const bytes = handmadeParquet(
        [
          element('l', OPTIONAL, { 5: 1, 6: CONVERTED.list }),
          element(name, REPEATED, { 5: 1 }),
          int('a', REQUIRED),
        ],
        1,
        1,
        [
          {
            path: ['l', name, 'a'],
            type: TYPE.int32,
            pages: [
              { entries: 2, body: [...levels(run(1, 0), run(1, 1)), ...levels(run(2, 2)), ...int32s(7, 8)] },
            ],
          },
        ],
      );
      expect(await rowsOf(bytes)).toEqual([{ l: [{ a: 7 }, { a: 8 }] }]);
    }
  });

  it('tell a missing list, an empty one and one with elements apart', async () => {
    const bytes = handmadeParquet(
      [element('l', OPTIONAL, { 5: 1, 6: CONVERTED.list }), int('element', REPEATED)],
      1,
      4,
      [
        {
          path: ['l', 'element'],
          type: TYPE.int32,
          pages: [
            {
              entries: 5,
              body: [
                ...levels(run(3, 0), run(1, 1), run(1, 0)),
                ...levels(run(1, 0), run(1, 1), run(3, 2)),
                ...int32s(1, 2, 3),
              ],
            },
          ],
        },
      ],
    );
    expect(await rowsOf(bytes)).toEqual([{ l: null }, { l: [] }, { l: [1, 2] }, { l: [3] }]);
  });

  it('are there without an annotation, also in a struct', async () => {
    const bytes = handmadeParquet([element('g', OPTIONAL, { 5: 1 }), int('r', REPEATED)], 1, 4, [
      {
        path: ['g', 'r'],
        type: TYPE.int32,
        pages: [
          {
            entries: 5,
            body: [
              ...levels(run(1, 0), run(1, 1), run(3, 0)),
              ...levels(run(2, 2), run(1, 1), run(1, 0), run(1, 2)),
              ...int32s(1, 2, 3),
            ],
          },
        ],
      },
    ]);
    expect(await rowsOf(bytes)).toEqual([
      { g: { r: [1, 2] } },
      { g: { r: [] } },
      { g: null },
      { g: { r: [3] } },
    ]);
  });

  it('are refused where members of a struct disagree in number', async () => {
    const column = (name: string, entries: number): Column => ({
      path: ['l', 'item', name],
      type: TYPE.int32,
      pages: [
        {
          entries,
          body: [
            ...levels(run(1, 0), run(entries - 1, 1)),
            ...levels(run(entries, 1)),
            ...int32s(...Array.from({ length: entries }, () => 1)),
          ],
        },
      ],
    });
    const schema = [
      element('l', REQUIRED, { 5: 1, 6: CONVERTED.list }),
      element('item', REPEATED, { 5: 2 }),
      int('a', REQUIRED),
      int('b', REQUIRED),
    ];
    await expect(
      rowsOf(handmadeParquet(schema, 1, 1, [column('a', 3), column('b', 2)])),
    ).rejects.toMatchObject({
      code: 'DATA_FILE_CORRUPT',
      place: { column: 'l' },
    });
  });
});

describe('maps', () => {
  const map = (key: Thrift, keyType: number, keys: readonly number[], annotation: Thrift): Uint8Array =>
    handmadeParquet(
      [
        element('m', OPTIONAL, { 5: 1, ...annotation }),
        element('map', REPEATED, { 5: 2 }),
        key,
        int('value', OPTIONAL),
      ],
      1,
      2,
      [
        {
          path: ['m', 'map', 'key'],
          type: keyType,
          pages: [
            {
              entries: 3,
              body: [...levels(run(1, 0), run(1, 1), run(1, 0)), ...levels(run(2, 2), run(1, 1)), ...keys],
            },
          ],
        },
        {
          path: ['m', 'map', 'value'],
          type: TYPE.int32,
          pages: [
            {
              entries: 3,
              body: [
                ...levels(run(1, 0), run(1, 1), run(1, 0)),
                ...levels(run(1, 3), run(1, 2), run(1, 1)),
                ...int32s(7),
              ],
            },
          ],
        },
      ],
    );

  it('keep keys of any type, repeated ones and those of any name, in order', async () => {
    const whole = map(int('key', REQUIRED), TYPE.int32, int32s(10, 9), { 6: CONVERTED.map });
    expect(await rowsOf(whole)).toEqual([
      {
        m: [
          { key: 10, value: 7 },
          { key: 9, value: null },
        ],
      },
      { m: [] },
    ]);
    const same = map(text('key', REQUIRED), TYPE.bytes, strings('__proto__', '__proto__'), {
      6: CONVERTED.mapKeyValue,
    });
    expect(await rowsOf(same)).toEqual([
      {
        m: [
          { key: '__proto__', value: 7 },
          { key: '__proto__', value: null },
        ],
      },
      { m: [] },
    ]);
  });
});

describe('columns of one name', () => {
  it('are told apart by a number', async () => {
    const column = (first: bigint): Column => ({
      path: ['ra'],
      type: TYPE.int64,
      pages: [{ entries: 2, body: int64s(first, first + 1n) }],
    });
    const ra = element('ra', REQUIRED, { 1: TYPE.int64 });
    const bytes = handmadeParquet([ra, ra], 2, 2, [column(1n), column(4n)]);
    expect(await rowsOf(bytes)).toEqual([
      { ra: 1, ra_1: 4 },
      { ra: 2, ra_1: 5 },
    ]);
    expect(await rowsOf(bytes, { columns: ['ra_1'] })).toEqual([{ ra_1: 4 }, { ra_1: 5 }]);
  });
});

describe('dictionaries', () => {
  const dictionary = (...entries: string[]): Page => ({
    entries: entries.length,
    body: strings(...entries),
    isDictionary: true,
  });
  const inFooter = { odd: { 2: [0, 8] } };

  it('with a repeated entry keep rows apart from those of a plain page after it', async () => {
    const codes = {
      entries: 3,
      encoding: ENCODING.dictionary,
      body: [2, ...run(1, 0), ...run(1, 1), ...run(1, 2)],
    };
    const plain = { entries: 2, body: strings('c', 'a') };
    const bytes = single(
      text('s', REQUIRED),
      5,
      TYPE.bytes,
      [dictionary('a', 'a', 'b'), codes, plain],
      inFooter,
    );
    expect(await rowsOf(bytes)).toEqual(['a', 'a', 'b', 'c', 'a'].map((s) => ({ s })));
  });

  it('of one entry need no bytes for their codes', async () => {
    const codes = { entries: 1000, encoding: ENCODING.dictionary, body: [0] };
    const bytes = single(text('s', REQUIRED), 1000, TYPE.bytes, [dictionary('only'), codes], inFooter);
    expect(await rowsOf(bytes)).toEqual(Array.from({ length: 1000 }, () => ({ s: 'only' })));
  });
});

describe('pages without a value', () => {
  it('need no bytes of their encoding, nor a dictionary', async () => {
    for (const encoding of [ENCODING.delta, ENCODING.dictionary]) {
      const bytes = single(int('x', OPTIONAL), 7, TYPE.int32, [
        { entries: 5, encoding, body: levels(run(5, 0)) },
        { entries: 2, body: [...levels(run(2, 1)), ...int32s(7, 9)] },
      ]);
      const values = [null, null, null, null, null, 7, 9];
      expect(await rowsOf(bytes)).toEqual(values.map((x) => ({ x })));
    }
  });
});

describe('instants of 96 bits', () => {
  it('are right from the year 1 to the year 9999', async () => {
    // Julian days of 0001-01-01, 1970-01-01 and 9999-12-31 in the Gregorian calendar.
    const days = [1_721_426, 2_440_588, 5_373_484];
    const body = days.flatMap((day) => [...int64s(1_000_000_000n), ...int32s(day)]);
    const bytes = single(element('t', REQUIRED, { 1: TYPE.int96 }), 3, TYPE.int96, [{ entries: 3, body }]);
    expect(await rowsOf(bytes)).toEqual(
      ['0001-01-01', '1970-01-01', '9999-12-31'].map((day) => ({ t: new Date(`${day}T00:00:01Z`) })),
    );
  });
});

describe('text', () => {
  it('that is not UTF-8 is refused, plain and in a dictionary', async () => {
    const latin1 = [0x43, 0xd4, 0x54, 0x45];
    const plain = single(text('s', REQUIRED), 1, TYPE.bytes, [{ entries: 1, body: strings(latin1) }]);
    const coded = single(
      text('s', REQUIRED),
      1,
      TYPE.bytes,
      [
        { entries: 1, body: strings(latin1), isDictionary: true },
        { entries: 1, encoding: ENCODING.dictionary, body: [1, ...run(1, 0)] },
      ],
      { odd: { 2: [0, 8] } },
    );
    for (const bytes of [plain, coded]) {
      const error = { code: 'DATA_FILE_CORRUPT', place: { column: 's' } };
      await expect(rowsOf(bytes)).rejects.toMatchObject(error);
    }
    // Together they are a character; apart they are none.
    const halves = single(text('s', REQUIRED), 2, TYPE.bytes, [
      { entries: 2, body: strings([0xc3], [0xa9]) },
    ]);
    await expect(rowsOf(halves)).rejects.toMatchObject({ code: 'DATA_FILE_CORRUPT' });
  });

  it('without a logical type is bytes, or text when that is asked for', async () => {
    const bytes = single(element('s', REQUIRED, { 1: TYPE.bytes }), 1, TYPE.bytes, [
      { entries: 1, body: strings('red') },
    ]);
    expect(await rowsOf(bytes)).toEqual([{ s: Uint8Array.from([114, 101, 100]) }]);
    expect(await rowsOf(bytes, { binaryAsString: true })).toEqual([{ s: 'red' }]);
  });
});

describe('odd but readable', () => {
  const pages = [{ entries: 2, body: int32s(1, 2) }];
  const expected = [{ x: 1 }, { x: 2 }];
  const file = (column: Partial<Column>, footer: Thrift = {}): Uint8Array =>
    handmadeParquet(
      [int('x', REQUIRED)],
      1,
      2,
      [{ path: ['x'], type: TYPE.int32, pages, ...column }],
      footer,
    );

  it('is a footer that says that the file has no rows', async () => {
    const bytes = file({}, { 3: 0n });
    expect(await rowsOf(bytes)).toEqual(expected);
    expect(await readParquet(written(bytes)).count()).toBe(2);
  });

  it('is a chunk whose size leaves out some bytes', async () => {
    expect(await rowsOf(file({ odd: { 7: 10n } }))).toEqual(expected);
  });

  it('is a page that unpacks to less than its header says', async () => {
    const body = gzipSync(Uint8Array.from(int32s(1, 2)));
    expect(
      await rowsOf(file({ codec: CODEC.gzip, pages: [{ entries: 2, body, unpackedBytes: 10 }] })),
    ).toEqual(expected);
    const more = file({ codec: CODEC.gzip, pages: [{ entries: 2, body, unpackedBytes: 7 }] });
    await expect(rowsOf(more)).rejects.toMatchObject({ code: 'DATA_FILE_CORRUPT' });
  });

  it('is a row group without rows, whose chunks are nowhere', async () => {
    const nowhere = { 1: TYPE.int32, 2: [0], 3: ['x'], 4: 0, 5: 0n, 6: 0n, 7: 0n, 9: 0n };
    const bytes = file({}, { 3: 0n, 4: [{ 1: [{ 2: 0n, 3: nowhere }], 2: 0n, 3: 0n }] });
    expect(await rowsOf(bytes)).toEqual([]);
  });

  it('says what is missing in the metadata of a chunk', async () => {
    await expect(rowsOf(file({ odd: { 3: undefined } }))).rejects.toThrow(/path_in_schema is missing/);
    await expect(rowsOf(file({ odd: { 2: [77] } }))).rejects.toThrow(
      /column "x" has an encoding that does not exist/,
    );
  });
});
