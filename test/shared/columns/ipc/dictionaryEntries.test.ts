import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { ipcBatches } from '../../../../shared/columns/ipc/ipcBatches.ts';
import { IpcDecoder } from '../../../../shared/columns/ipc/ipcDecoder.ts';

type Entry = string | number | null;

/** A stream whose batch k has the entries of the pieces up to the k-th: each piece but the first comes as a delta. */
function withDeltas(
  pieces: readonly (readonly Entry[])[],
  type: arrow.DataType,
  pieceABatch = 1,
): Uint8Array {
  const dictionary = new arrow.Dictionary(type, new arrow.Int32(), 0);
  const schema = new arrow.Schema([new arrow.Field('x', dictionary, true)]);
  const chunks = pieces.map((entries) => arrow.vectorFromArray(entries as string[], type).data[0]!);
  const batches: arrow.RecordBatch[] = [];
  for (let count = pieceABatch; count <= chunks.length; count += pieceABatch) {
    const entries = new arrow.Vector(chunks.slice(0, count));
    const codes = Int32Array.from({ length: entries.length }, (_, i) => i);
    const data = arrow.makeData({ type: dictionary, length: codes.length, data: codes, dictionary: entries });
    const row = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: codes.length,
      children: [data],
    });
    batches.push(new arrow.RecordBatch(schema, row));
  }
  return new arrow.RecordBatchStreamWriter().writeAll(batches).toUint8Array(true);
}

function read(bytes: Uint8Array): arrow.RecordBatch[] {
  const decoder = new IpcDecoder({
    unpack: () => expect.unreachable(),
    hold: () => {},
    checkText: () => {},
  });
  let at = 0;
  const steps = ipcBatches(decoder, () => bytes.length - at);
  const batches: arrow.RecordBatch[] = [];
  for (let step = steps.next(); step.done !== true;) {
    if (typeof step.value === 'number') {
      // Where nothing is aligned, arrays are copies.
      step = steps.next(bytes.slice(at, (at += step.value)));
      continue;
    }
    batches.push(step.value);
    step = steps.next();
  }
  return batches;
}

const valuesOf = (batch: arrow.RecordBatch): unknown[] => [...batch.getChildAt(0)!];
const dictionaryOf = (batch: arrow.RecordBatch): arrow.Data => batch.data.children[0]!.dictionary!.data[0]!;

/** Bytes of all the memory that the dictionaries have, each counted once. */
function memoryOf(dictionaries: readonly arrow.Data[]): number {
  const buffers = new Set(
    dictionaries.flatMap(({ values, valueOffsets }) => [values.buffer, valueOffsets.buffer]),
  );
  return [...buffers].reduce((sum, buffer) => sum + (buffer as ArrayBuffer).byteLength, 0);
}

const PIECES = 300;
const words = Array.from({ length: PIECES }, (_, piece) =>
  Array.from({ length: 20 }, (__, i) => `entry ${piece}/${i}`),
);

describe('Arrow dictionaries with deltas', () => {
  it('have at each batch the entries that came before it', () => {
    for (const [k, batch] of read(withDeltas(words, new arrow.Utf8())).entries()) {
      if (k % 50 === 0 || k === PIECES - 1) expect(valuesOf(batch)).toEqual(words.slice(0, k + 1).flat());
      expect(batch.numRows).toBe(20 * (k + 1));
    }
  });

  it('move each entry a few times, however many deltas there are', () => {
    const dictionaries = read(withDeltas(words, new arrow.Utf8())).map(dictionaryOf);
    expect(dictionaries).toHaveLength(PIECES);
    const last = dictionaries.at(-1)!;
    const bytes = last.valueOffsets[last.length]! + last.valueOffsets.byteLength;
    expect(memoryOf(dictionaries)).toBeLessThan(5 * bytes);
  });

  it('of numbers and with missing entries are joined for the batches that use them', () => {
    const numbers = [[1, 2], [3], [4, 5, 6], [7]];
    expect(read(withDeltas(numbers, new arrow.Float64())).map(valuesOf)).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6, 7],
    ]);
    const gaps = [['a'], ['b', null], ['c'], ['d']];
    expect(read(withDeltas(gaps, new arrow.Utf8(), 2)).map(valuesOf)).toEqual([
      ['a', 'b', null],
      ['a', 'b', null, 'c', 'd'],
    ]);
  });

  it('leave what batches before them refer to as it was', () => {
    const [first, second] = read(withDeltas([['a'], ['bc'], ['d']], new arrow.Utf8()));
    expect([...first!.data.children[0]!.dictionary!]).toEqual(['a']);
    expect([...second!.data.children[0]!.dictionary!]).toEqual(['a', 'bc']);
  });
});
