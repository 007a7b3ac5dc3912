// Cuts CSV text into records of fields (RFC 4180): quotes may hold delimiters, line breaks and doubled quotes.

import { MalformedRowError } from '../errors.ts';

export interface CsvRecord {
  /** Undefined for a field that is empty and not quoted. */
  readonly fields: readonly (string | undefined)[];
  /** 1-based line of the file where the record begins. */
  readonly line: number;
}

/** A quote that is never closed would otherwise swallow the rest of the file. */
const MAX_RECORD_CHARS = 16 * 1024 * 1024;

/** Blank lines are skipped. @throws MalformedRowError naming file and line. */
export async function* csvRecords(
  pieces: AsyncIterable<string>,
  file: string,
  delimiter: string,
): AsyncGenerator<CsvRecord[]> {
  let text = '';
  let line = 1;
  const cut = (isLast: boolean): CsvRecord[] => {
    const records: CsvRecord[] = [];
    let position = 0;
    while (position < text.length) {
      const end = text.indexOf('\n', position);
      if (end === -1 && !isLast) break;
      const stop = end === -1 ? text.length : end;
      const plain = text.slice(
        position,
        text.charCodeAt(stop - 1) === 13 && stop > position ? stop - 1 : stop,
      );
      if (!plain.includes('"')) {
        if (plain !== '') records.push({ fields: plain.split(delimiter).map(emptyToMissing), line });
        position = stop + 1;
        line++;
        continue;
      }
      const record = quotedRecord(text, position, isLast, file, line, delimiter);
      if (record === undefined) break;
      records.push({ fields: record.fields, line });
      for (let i = position; i < record.next; i++) if (text.charCodeAt(i) === 10) line++;
      position = record.next;
    }
    text = text.slice(position);
    return records;
  };
  for await (const piece of pieces) {
    text += piece;
    const records = cut(false);
    if (records.length > 0) yield records;
    if (text.length > MAX_RECORD_CHARS) throw unclosed(file, line);
  }
  const records = cut(true);
  if (records.length > 0) yield records;
}

function emptyToMissing(field: string): string | undefined {
  return field === '' ? undefined : field;
}

function unclosed(file: string, line: number): MalformedRowError {
  return new MalformedRowError(`${file}, line ${line}: a quote is opened and never closed.`, { file });
}

interface ScannedRecord {
  readonly fields: (string | undefined)[];
  /** Index behind the record's line break. */
  readonly next: number;
}

/** Undefined when the record goes on in text that isn't there yet. */
function quotedRecord(
  text: string,
  start: number,
  isLast: boolean,
  file: string,
  line: number,
  delimiter: string,
): ScannedRecord | undefined {
  const fields: (string | undefined)[] = [];
  let position = start;
  for (;;) {
    let field: string | undefined;
    if (text[position] === '"') {
      const quoted = quotedField(text, position + 1);
      if (quoted === undefined) {
        if (isLast) throw unclosed(file, line);
        return undefined;
      }
      field = quoted.field;
      position = quoted.next;
    } else {
      let end = position;
      while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++;
      field = emptyToMissing(text.slice(position, end));
      position = end;
    }
    fields.push(field);
    if (text[position] === delimiter) {
      position++;
      continue;
    }
    if (text[position] === '\r') position++;
    if (position >= text.length) return isLast ? { fields, next: position } : undefined;
    if (text[position] === '\n') return { fields, next: position + 1 };
    throw new MalformedRowError(
      `${file}, line ${line}: field ${fields.length} goes on after its closing quote; a quote inside must be doubled.`,
      { file },
    );
  }
}

function quotedField(text: string, start: number): { field: string; next: number } | undefined {
  let from = start;
  let field = '';
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return undefined;
    field += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { field, next: quote + 1 };
    field += '"';
    from = quote + 2;
  }
}
