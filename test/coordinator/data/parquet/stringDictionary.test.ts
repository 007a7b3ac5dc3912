import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { MemoryBudget } from '../../../../coordinator/data/store/memoryBudget.ts';
import type { ByteValues } from '../../../../coordinator/data/parquet/physicalValues.ts';
import { StringDictionary } from '../../../../coordinator/data/parquet/stringDictionary.ts';

const MIB = 2 ** 20;

function bytesOf(entries: readonly string[]): ByteValues {
  const { valueOffsets, values } = arrow.vectorFromArray(entries as string[], new arrow.Utf8()).data[0]!;
  return { kind: 'bytes', offsets: valueOffsets.subarray(0, entries.length + 1), data: values };
}

function dictionary(limitBytes = 256 * MIB): StringDictionary {
  const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0);
  return new StringDictionary(type, new MemoryBudget(limitBytes));
}

const codesOf = (strings: StringDictionary, entries: readonly string[]): number[] => [
  ...strings.encode(bytesOf(entries), 0, entries.length),
];

function rowsOf(strings: StringDictionary, codes: readonly number[]): arrow.Data {
  const rows = { length: codes.length, nullCount: 0, nullBitmap: undefined };
  return strings.data(Int32Array.from(codes), rows);
}

describe('The dictionary of a string column chunk', () => {
  it('goes on with the codes of the file for what plain pages hold', () => {
    const strings = dictionary();
    strings.adopt(bytesOf(['a', 'b', 'a']));
    expect(codesOf(strings, ['b', 'c', 'a', 'c'])).toEqual([1, 3, 0, 3]);
    expect([...rowsOf(strings, [2, 3]).dictionary!]).toEqual(['a', 'b', 'a', 'c']);
  });

  it('moves each entry a few times, however many pieces the pages come in', () => {
    const strings = dictionary();
    const columns: arrow.Data[] = [];
    for (let piece = 0; piece < 500; piece++) {
      const codes = codesOf(
        strings,
        Array.from({ length: 10 }, (_, i) => `text ${piece * 10 + i}`),
      );
      if (piece % 5 === 4) columns.push(rowsOf(strings, codes));
    }
    const entries = columns.map((data) => data.dictionary!.data[0]!);
    const last = entries.at(-1)!;
    expect(last.length).toBe(5000);
    expect(new arrow.Vector([columns.at(-1)!]).get(9)).toBe('text 4999');
    const buffers = new Set(
      entries.flatMap(({ values, valueOffsets }) => [values.buffer, valueOffsets.buffer]),
    );
    const moved = [...buffers].reduce((sum, buffer) => sum + (buffer as ArrayBuffer).byteLength, 0);
    expect(moved).toBeLessThan(5 * (last.valueOffsets.byteLength + last.valueOffsets[5000]!));
  });

  it('is bounded by the budget where all strings differ', () => {
    const strings = dictionary(10_000);
    const entries = Array.from({ length: 1000 }, (_, i) => `text ${i}`);
    expect(() => codesOf(strings, entries)).toThrow('the limit is 1 MiB');
  });

  it('is refused behind values that do not use it', () => {
    const strings = dictionary();
    codesOf(strings, ['a']);
    expect(() => strings.adopt(bytesOf(['b']))).toThrow('a dictionary behind values');
  });
});
