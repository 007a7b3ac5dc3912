// CSV and JSON lines as part files.

import * as arrow from 'apache-arrow';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { exactValuesOf, valuesOf } from '../../../shared/columns/valuesOf.ts';
import { formatTime } from '../text/textTime.ts';
import { rowJson } from '../text/writeJson.ts';
import type { PartFormat } from './writeFolder.ts';

const BATCH_ROWS = 8192;

/** With a header line. Missing values are empty fields, empty strings `""`; nested values are JSON. Times have all digits. */
export const csvFormat: PartFormat = {
  extension: '.csv',
  batchRows: BATCH_ROWS,
  encoder(write) {
    const encoder = new TextEncoder();
    const strings = new DictionaryStrings();
    let hasHeader = false;
    return {
      async add(batch) {
        const lines: string[] = [];
        if (!hasHeader) lines.push(batch.schema.fields.map(({ name }) => csvField(name)).join(','));
        hasHeader = true;
        const columns = batch.data.children.map((data) => textValues(data, strings));
        // A blank line is a missing value to readers of one column.
        for (let row = 0; row < batch.numRows; row++)
          lines.push(columns.map((column) => csvField(column[row])).join(','));
        await write(encoder.encode(`${lines.join('\n')}\n`));
      },
      finish: () => Promise.resolve(),
    };
  },
};

function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  const text =
    typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : rowJson(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One object a line. */
export const jsonFormat: PartFormat = {
  extension: '.jsonl',
  batchRows: BATCH_ROWS,
  encoder(write) {
    const encoder = new TextEncoder();
    const strings = new DictionaryStrings();
    return {
      async add(batch: arrow.RecordBatch) {
        const names = batch.schema.fields.map(({ name }) => JSON.stringify(name));
        const columns = batch.data.children.map((data) => textValues(data, strings));
        const lines = Array.from({ length: batch.numRows }, (_, row) => {
          const members = columns.map((column, c) => `${names[c]!}:${rowJson(column[row])}`);
          return `{${members.join(',')}}`;
        });
        await write(encoder.encode(`${lines.join('\n')}\n`));
      },
      finish: () => Promise.resolve(),
    };
  },
};

/** The column's values, with times as text where a Date would cut them. */
function textValues(data: arrow.Data, strings: DictionaryStrings): unknown[] {
  const { type } = data;
  if (!arrow.DataType.isTimestamp(type) || type.unit <= arrow.TimeUnit.MILLISECOND)
    return valuesOf(data, strings);
  const perMs = type.unit === arrow.TimeUnit.MICROSECOND ? 1000n : 1_000_000n;
  return exactValuesOf(data, strings).map((units) =>
    units === null ? null : formatTime(BigInt(units as number | bigint), perMs),
  );
}
