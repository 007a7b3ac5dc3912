import { describe, expect, it } from 'vitest';
import { csvRecords } from '../../../../coordinator/data/text/csvRecords.ts';

async function* cut(text: string, chars: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += chars) yield await Promise.resolve(text.slice(at, at + chars));
}

async function recordsOf(pieces: AsyncIterable<string>, delimiter = ','): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const records of csvRecords(pieces, 'in.csv', delimiter))
    for (const { fields, line } of records) out.push([line, ...fields]);
  return out;
}

const text = 'a,b\r\n"x, ""y""","line\r\nbreak"\n1,\n\n"",2\r3,4\r\r\n5,"6"';
const expected = [
  [1, 'a', 'b'],
  [2, 'x, "y"', 'line\r\nbreak'],
  [4, '1', undefined],
  [5, undefined],
  [6, '', '2'],
  [7, '3', '4'],
  [8, undefined],
  [9, '5', '6'],
];

describe('records of CSV', () => {
  for (const chars of [1, 2, 3, 7, 1000])
    it(`are the same where the text comes in pieces of ${chars} characters`, async () => {
      expect(await recordsOf(cut(text, chars))).toEqual(expected);
    });

  it('end with a carriage return alone', async () => {
    expect(await recordsOf(cut('a,b\r1,"x\ry"\r', 4))).toEqual([
      [1, 'a', 'b'],
      [2, '1', 'x\ry'],
    ]);
  });

  for (const delimiter of [']', '^', '-', '\\', '|', '\t', ' '])
    it(`may be cut at ${JSON.stringify(delimiter)}`, async () => {
      expect(await recordsOf(cut(`"a"${delimiter}b${delimiter}"c"\n`, 1), delimiter)).toEqual([
        [1, 'a', 'b', 'c'],
      ]);
    });

  it('of one long quoted field take time in proportion to its length', async () => {
    const timeOf = async (chars: number): Promise<number> => {
      const field = `"${'x""\n'.repeat(chars / 4)}"`;
      const started = performance.now();
      expect(await recordsOf(cut(field, 64))).toHaveLength(1);
      return performance.now() - started;
    };
    await timeOf(200_000);
    const [short, long] = [await timeOf(200_000), await timeOf(3_200_000)];
    // Sixteen times the length; the square would be 256 times as much.
    expect(long / short).toBeLessThan(80);
  });

  it('are bounded in length and in fields', async () => {
    const endless = async function* (piece: string): AsyncGenerator<string> {
      for (let i = 0; i < 1000; i++) yield await Promise.resolve(piece);
    };
    await expect(recordsOf(endless('x'.repeat(65_536)))).rejects.toThrow(
      /in\.csv, line 1: a line of more than 16777216 characters/,
    );
    await expect(recordsOf(endless(','.repeat(65_536)))).rejects.toThrow(/more than 100000 fields/);
    await expect(recordsOf(cut(`a\n${','.repeat(100_001)}\n`, 1e6))).rejects.toMatchObject({
      code: 'DATA_ROW_MALFORMED',
      place: { file: 'in.csv', row: 2 },
    });
  });
});
