import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { recordBatch } from '../../../../shared/columns/arrowData.ts';
import { concatBatches } from '../../../../shared/columns/concatBatches.ts';
import { DictionaryStrings } from '../../../../shared/columns/dictionaryStrings.ts';
import { ipcBatches } from '../../../../shared/columns/ipc/ipcBatches.ts';
import { IpcDecoder } from '../../../../shared/columns/ipc/ipcDecoder.ts';
import { toColumnBatch } from '../../../../shared/columns/toColumnBatch.ts';
import { valuesOf as valuesAs } from '../../../../shared/columns/valuesOf.ts';

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

  it('of numbers and with missing entries are moved about as often as their number can be halved', () => {
    const numbers = Array.from({ length: PIECES }, (_, piece) =>
      Array.from({ length: 20 }, (__, i) => piece + i / 32),
    );
    const batches = read(withDeltas(numbers, new arrow.Float64()));
    expect(valuesOf(batches.at(-1)!)).toEqual(numbers.flat());
    const dictionaries = batches.map((batch) => batch.data.children[0]!.dictionary!);
    const halvings = Math.ceil(Math.log2(PIECES));
    expect(Math.max(...dictionaries.map(({ data }) => data.length))).toBeLessThanOrEqual(halvings);
    const buffers = new Set(dictionaries.flatMap(({ data }) => data.map(({ values }) => values.buffer)));
    const bytes = [...buffers].reduce((sum, buffer) => sum + (buffer as ArrayBuffer).byteLength, 0);
    expect(bytes).toBeLessThanOrEqual((halvings + 1) * 8 * numbers.flat().length);
  });

  it('are decoded to strings once an entry, whichever batch is looked at first', () => {
    for (const gap of [[], [null]]) {
      const batches = read(withDeltas([[...words[0]!, ...gap], ...words.slice(1)], new arrow.Utf8()));
      const dictionaries = batches.map((batch) => batch.data.children[0]!.dictionary!);
      let decoded = 0;
      for (const dictionary of dictionaries) {
        const get = dictionary.get.bind(dictionary);
        Object.defineProperty(dictionary, 'get', { value: (code: number) => (decoded++, get(code)) });
      }
      const strings = new DictionaryStrings();
      const first = strings.of(dictionaries[0]!);
      for (const dictionary of dictionaries.toReversed()) expect(strings.of(dictionary)).toBe(first);
      expect(first).toEqual([...words[0]!, ...gap.map(String), ...words.slice(1).flat()]);
      expect(decoded).toBe(first.length);
    }
  });

  it('of several batches are joined without looking at an entry', () => {
    const batches = read(withDeltas(words, new arrow.Utf8()));
    const joined = concatBatches(batches.slice(0, 3));
    expect(joined.data.children[0]!.dictionary).toBe(batches[2]!.data.children[0]!.dictionary);
    expect(valuesOf(joined)).toEqual([1, 2, 3].flatMap((k) => words.slice(0, k).flat()));
  });

  it("that Arrow's own reader gives share chunks and are joined by their entries", () => {
    const schema = new arrow.Schema([
      new arrow.Field('x', new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0), true),
    ]);
    const { batches } = arrow.tableFromIPC(withDeltas([['a'], ['b'], ['c']], new arrow.Utf8()));
    const own = batches.map(({ data, numRows }) => recordBatch(schema, data.children, numRows));
    expect(valuesOf(concatBatches(own))).toEqual(['a', 'a', 'b', 'a', 'b', 'c']);
  });

  it('have missing entries, and rows that refer to one are missing', () => {
    const bytes = withDeltas([['a', null], ['b']], new arrow.Utf8(), 2);
    const [batch] = read(bytes);
    expect(valuesAs(batch!.data.children[0]!, new DictionaryStrings())).toEqual(['a', null, 'b']);
    const { columns } = toColumnBatch(batch!, 0, new DictionaryStrings());
    expect(columns[0]).toMatchObject({ codes: Int32Array.of(0, -1, 2) });
    const numbers = read(withDeltas([[1, null], [2]], new arrow.Float64()))[1]!;
    expect(valuesAs(numbers.data.children[0]!, new DictionaryStrings())).toEqual([1, null, 2]);
  });

  it('leave what batches before them refer to as it was', () => {
    const [first, second] = read(withDeltas([['a'], ['bc'], ['d']], new arrow.Utf8()));
    expect([...first!.data.children[0]!.dictionary!]).toEqual(['a']);
    expect([...second!.data.children[0]!.dictionary!]).toEqual(['a', 'bc']);
  });
});
