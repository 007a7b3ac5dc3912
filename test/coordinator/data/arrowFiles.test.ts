import { writeFileSync } from 'node:fs';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { fromArrow } from '../../../coordinator/data/fromMemory.ts';
import { readArrow } from '../../../coordinator/data/readFiles.ts';
import { scratchFolder } from './support/scratch.ts';

const path = scratchFolder();
let files = 0;

function written(bytes: Uint8Array): string {
  const file = path(`${files++}.arrow`);
  writeFileSync(file, bytes);
  return file;
}

const tableOf = (columns: Record<string, arrow.Vector>): arrow.Table => new arrow.Table(columns);
const ints = (...values: (number | null)[]): arrow.Vector => arrow.vectorFromArray(values, new arrow.Int32());

/** An LZ4 frame with one block that is stored as it is. */
function storedFrame(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 15);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0x184d2204, true);
  frame.set([0x60, 0x40, 0x82], 4);
  view.setUint32(7, 0x8000_0000 + bytes.length, true);
  frame.set(bytes, 11);
  return frame;
}

describe('Arrow files', () => {
  it('as the library for JavaScript writes them have their schema in the footer alone', async () => {
    const bytes = arrow.tableToIPC(tableOf({ x: ints(1, null, 3) }), 'file');
    expect(await readArrow(written(bytes)).takeAll()).toEqual([{ x: 1 }, { x: null }, { x: 3 }]);
  });

  it('without rows keep their columns', async () => {
    const schema = new arrow.Schema([new arrow.Field('x', new arrow.Int32(), true)]);
    const bytes = arrow.tableToIPC(new arrow.Table(schema, []), 'stream');
    expect(String(await readArrow(written(bytes)).schema())).toContain('x: Int32');
  });

  it('with bodies in LZ4 frames are read', async () => {
    arrow.compressionRegistry.set(arrow.CompressionType.LZ4_FRAME, { encode: storedFrame });
    const table = tableOf({ x: ints(...Array.from({ length: 1000 }, (_, i) => i)) });
    const writer = new arrow.RecordBatchStreamWriter({ compressionType: arrow.CompressionType.LZ4_FRAME });
    const bytes = writer.writeAll(table).toUint8Array(true);
    const rows = await readArrow(written(bytes)).takeAll();
    expect(rows).toEqual(Array.from({ length: 1000 }, (_, i) => ({ x: i })));
  });

  it('with large types can be filtered, sorted and split like plain ones', async () => {
    const file = written(
      arrow.tableToIPC(
        tableOf({
          text: arrow.vectorFromArray(['b', null, 'a'], new arrow.LargeUtf8()),
          list: arrow.vectorFromArray(
            [[1, 2], null, []],
            new arrow.LargeList(new arrow.Field('item', new arrow.Int32(), true)),
          ),
        }),
      ),
    );
    expect(
      await readArrow(file)
        .filter(() => true)
        .takeAll(),
    ).toEqual([
      { text: 'b', list: [1, 2] },
      { text: null, list: null },
      { text: 'a', list: [] },
    ]);
    expect(await readArrow(file).selectColumns(['text']).sort('text').take(2)).toEqual([
      { text: 'a' },
      { text: 'b' },
    ]);
  });

  it('with decimals give doubles', async () => {
    const words = (value: bigint): number[] =>
      [0n, 32n, 64n, 96n].map((shift) => Number(BigInt.asUintN(32, value >> shift)));
    const data = arrow.makeData({
      type: new arrow.Decimal(2, 20, 128),
      length: 2,
      nullCount: 0,
      data: Uint32Array.from([...words(12_345n), ...words(-1n)]),
    });
    const file = written(arrow.tableToIPC(tableOf({ c: new arrow.Vector([data]) })));
    expect(await readArrow(file).takeAll()).toEqual([{ c: 123.45 }, { c: -0.01 }]);
  });

  it('with two columns of one name tell them apart', async () => {
    const fields = [1, 2].map(() => new arrow.Field('x', new arrow.Int32(), true));
    const children = [ints(1, 2), ints(3, 4)].map((vector) => vector.data[0]!);
    const batch = new arrow.RecordBatch(
      new arrow.Schema(fields),
      arrow.makeData({ type: new arrow.Struct(fields), length: 2, nullCount: 0, children }),
    );
    const expected = [
      { x: 1, x_1: 3 },
      { x: 2, x_1: 4 },
    ];
    const file = written(arrow.RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true));
    expect(await readArrow(file).takeAll()).toEqual(expected);
    expect(await fromArrow(batch).takeAll()).toEqual(expected);
  });
});

describe('a damaged Arrow file', () => {
  const stream = arrow.tableToIPC(
    tableOf({ x: ints(1, 2, 3), s: arrow.vectorFromArray(['a', 'b', 'c'], new arrow.Utf8()) }),
  );

  it('is named at every length that it may be cut to', async () => {
    // The last eight bytes say that the stream is over, which they need not.
    for (let length = 1; length < stream.length - 8; length += 7) {
      const error = { code: 'DATA_FILE_CORRUPT' };
      await expect(
        readArrow(written(stream.slice(0, length))).takeAll(),
        `cut to ${length}`,
      ).rejects.toMatchObject(error);
    }
  });

  it('is refused when it claims more rows than its buffers hold', async () => {
    const three = stream.slice();
    // The numbers of rows: of the batch and of both columns, 64 bits each.
    for (let at = 0; at + 8 <= three.length; at++) {
      const view = new DataView(three.buffer, at);
      if (at % 8 === 0 && view.getBigInt64(0, true) === 3n) view.setBigInt64(0, 3000n, true);
    }
    await expect(readArrow(written(three)).takeAll()).rejects.toMatchObject({ code: 'DATA_FILE_CORRUPT' });
  });

  it('is refused when its text is not UTF-8', async () => {
    const bytes = stream.slice();
    const at = bytes.findIndex((_, i) => bytes[i] === 97 && bytes[i + 1] === 98 && bytes[i + 2] === 99);
    bytes[at] = 0xff;
    await expect(readArrow(written(bytes)).takeAll()).rejects.toThrow(/column "s": its text is not UTF-8/);
  });
});
