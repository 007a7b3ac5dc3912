import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { GrowingStrings } from '../../../shared/columns/growingStrings.ts';

function append(strings: GrowingStrings, ...entries: string[]): void {
  const { valueOffsets, values } = arrow.vectorFromArray(entries, new arrow.Utf8()).data[0]!;
  strings.append(valueOffsets, values, 0, entries.length);
}

describe('Growing strings', () => {
  it('hold what is added, in order, with empty and long entries', () => {
    const strings = new GrowingStrings();
    expect([...strings.vector()]).toEqual([]);
    append(strings, 'a', '', 'ß');
    append(strings);
    append(strings, 'x'.repeat(1000), 'b');
    expect([...strings.vector()]).toEqual(['a', '', 'ß', 'x'.repeat(1000), 'b']);
    expect(strings.length).toBe(5);
  });

  it('add a part of other entries', () => {
    const { valueOffsets, values } = arrow.vectorFromArray(['no', 'yes', 'ok', 'no'], new arrow.Utf8())
      .data[0]!;
    const strings = new GrowingStrings();
    strings.append(valueOffsets, values, 1, 3);
    expect([...strings.vector()]).toEqual(['yes', 'ok']);
  });

  it('take the first entries without a copy, and do not write into them', () => {
    const { valueOffsets, values } = arrow.vectorFromArray(['a', 'b'], new arrow.Utf8()).data[0]!;
    const strings = new GrowingStrings(valueOffsets, values, 2);
    const before = strings.vector();
    expect(before.data[0]!.values.buffer).toBe(values.buffer);
    append(strings, 'c');
    expect([...before]).toEqual(['a', 'b']);
    expect([...strings.vector()]).toEqual(['a', 'b', 'c']);
  });

  it('give the same vector until there are more', () => {
    const strings = new GrowingStrings();
    append(strings, 'a');
    expect(strings.vector()).toBe(strings.vector());
  });
});
