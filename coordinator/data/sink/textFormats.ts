// CSV and JSON lines as part files.

import type * as arrow from 'apache-arrow';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { rowsOf, valuesOf } from '../../../shared/columns/valuesOf.ts';
import type { PartFormat } from './writeFolder.ts';

const BATCH_ROWS = 8192;

/** With a header line. Missing values are empty fields, empty strings `""`; nested values are JSON. */
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
        const columns = batch.data.children.map((data) => valuesOf(data, strings));
        for (let row = 0; row < batch.numRows; row++) {
          const line = columns.map((column) => csvField(column[row])).join(',');
          // A line without anything would be skipped by readers.
          lines.push(line === '' ? '""' : line);
        }
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
    typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : toJson(value);
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
        const lines = rowsOf(batch, strings).map(toJson);
        await write(encoder.encode(`${lines.join('\n')}\n`));
      },
      finish: () => Promise.resolve(),
    };
  },
};

/** Dates as ISO text, bytes as base64, bigints as text (a number would lose digits). */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return member.toString();
    return member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member;
  });
}
