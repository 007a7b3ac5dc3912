// Small files with one thing wrong each, for the table of badInput.test.ts. All but that one thing would train.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';

const ROWS = 300;
const a = Array.from({ length: ROWS }, (_, row) => (row * 7) % 13);
const b = Array.from({ length: ROWS }, (_, row) => row % 11);
const y = a.map((value, row) => (value * b[row]! > 30 ? 1 : 0));

type Fields = readonly (string | number)[];

/** Writes every bad file, and good.csv and good.parquet, to `folder`. */
export function writeBadInputFiles(folder: string): void {
  const csv = (name: string, fields: (row: number) => Fields, header = 'a,b,y'): void => {
    const lines = a.map((_, row) => fields(row).join(','));
    writeFileSync(join(folder, name), `${[header, ...lines].join('\n')}\n`);
  };
  const label = (name: string, text: string | number): void =>
    csv(name, (row) => [a[row]!, b[row]!, row === 17 ? text : y[row]!]);

  csv('good.csv', (row) => [a[row]!, b[row]!, y[row]!]);
  label('labelMissing.csv', '');
  label('labelOutOfRange.csv', 2);
  label('labelInfinite.csv', 'Infinity');
  csv('labelText.csv', (row) => [a[row]!, b[row]!, y[row] === 1 ? 'yes' : 'no']);
  csv('labelOneValue.csv', (row) => [a[row]!, b[row]!, 1]);
  csv('labelAllMissing.csv', (row) => [a[row]!, b[row]!, '']);
  csv('featureOneValue.csv', (row) => [a[row]!, 5, y[row]!]);
  csv('featureAllMissing.csv', (row) => [a[row]!, '', y[row]!]);
  csv('noUsefulFeature.csv', (row) => [7, '', y[row]!]);
  csv('featureText.csv', (row) => [a[row]!, row === 200 ? 'oops' : b[row]!, y[row]!]);
  csv('weightNegative.csv', (row) => [a[row]!, b[row]!, y[row]!, row === 17 ? -1 : 1], 'a,b,y,w');
  csv('ragged.csv', (row) => (row === 200 ? [a[row]!, b[row]!] : [a[row]!, b[row]!, y[row]!]));
  csv('openQuote.csv', (row) => [a[row]!, b[row]!, row === ROWS - 1 ? '"1' : y[row]!]);
  writeFileSync(join(folder, 'headerOnly.csv'), 'a,b,y\n');
  writeFileSync(join(folder, 'empty.csv'), '');
  writeFileSync(join(folder, 'oneRow.csv'), 'a,b,y\n1,2,0\n');
  writeFileSync(join(folder, 'twoRows.csv'), 'a,b,y\n1,2,0\n2,3,1\n');
  writeFileSync(join(folder, 'cut.jsonl'), '{"a":1,"b":2,"y":0}\n{"a":1,"b":2,"y":\n');
  mkdirSync(join(folder, 'noData'));

  const good = join(folder, 'good.parquet');
  const labelNaN = join(folder, 'labelNaN.parquet');
  const column = (name: string, data: number[]) => ({ name, data, type: 'DOUBLE' as const });
  parquetWriteFile({ filename: good, columnData: [column('a', a), column('b', b), column('y', y)] });
  const withNaN = y.map((value, row) => (row === 17 ? NaN : value));
  parquetWriteFile({
    filename: labelNaN,
    columnData: [column('a', a), column('b', b), column('y', withNaN)],
  });
  const bytes = readFileSync(good);
  writeFileSync(join(folder, 'truncated.parquet'), bytes.subarray(0, bytes.length >> 1));
  writeFileSync(join(folder, 'notParquet.parquet'), 'a,b,y\n1,2,0\n');
  bytes.fill(0xff, 10, 60);
  writeFileSync(join(folder, 'corruptPage.parquet'), bytes);
}
