// Cuts CSV text into records of fields (RFC 4180): quotes may hold delimiters, line breaks and doubled quotes. Each
// character is looked at once, however the text comes in pieces.

import { MalformedRowError } from '../plan/dataErrors.ts';

export interface CsvRecord {
  /** Undefined for a field that is empty and not quoted. */
  readonly fields: readonly (string | undefined)[];
  /** 1-based line of the file where the record begins. */
  readonly line: number;
  /** Its length in the file. */
  readonly chars: number;
}

/** A quote that is never closed would otherwise swallow the rest of the file. */
const MAX_RECORD_CHARS = 16 * 1024 * 1024;
/** As many as a config file may name. */
const MAX_COLUMNS = 100_000;

/**
 * Lines end with LF, CR LF or CR alone. Blank lines are records of one missing field.
 * @throws MalformedRowError naming file and line, also for records of more than 16 Mi characters or 100,000 fields.
 */
export async function* csvRecords(
  pieces: AsyncIterable<string>,
  file: string,
  delimiter: string,
): AsyncGenerator<CsvRecord[]> {
  const scanner = new CsvScanner(file, delimiter);
  for await (const piece of pieces) {
    const records = scanner.push(piece);
    if (records.length > 0) yield records;
  }
  const records = scanner.end();
  if (records.length > 0) yield records;
}

type Place = 'field start' | 'plain' | 'quoted' | 'quote in quoted' | 'after quote';

class CsvScanner {
  readonly #file: string;
  readonly #delimiter: string;
  readonly #stop: RegExp;
  /** Line at the reading position, and where the open record began. */
  #line = 1;
  #recordLine = 1;
  /** The open record, which the next piece goes on with. */
  #isOpen = false;
  #fields: (string | undefined)[] = [];
  #parts: string[] = [];
  #place: Place = 'field start';
  #chars = 0;
  /** A piece ended with CR; an LF that follows belongs to it. */
  #afterReturn = false;

  constructor(file: string, delimiter: string) {
    this.#file = file;
    this.#delimiter = delimiter;
    this.#stop = new RegExp(`[${delimiter.replace(/[\\\]^-]/, String.raw`\$&`)}\r\n]`, 'g');
  }

  push(piece: string): CsvRecord[] {
    const records: CsvRecord[] = [];
    let position = 0;
    if (this.#afterReturn && piece !== '') {
      if (piece.startsWith('\n')) position = 1;
      this.#afterReturn = false;
    }
    const hasOldBreaks = /\r(?!\n)/.test(piece);
    while (position < piece.length) {
      if (!this.#isOpen && !hasOldBreaks) position = this.#wholeLines(piece, position, records);
      if (position < piece.length) position = this.#step(piece, position, records);
    }
    return records;
  }

  end(): CsvRecord[] {
    const records: CsvRecord[] = [];
    if (!this.#isOpen) return records;
    if (this.#place === 'quoted') throw this.#malformed('a quote is opened and never closed');
    this.#endField();
    this.#endRecord(records);
    return records;
  }

  /** Lines without quotes that are there in full. @returns where they end. */
  #wholeLines(piece: string, start: number, records: CsvRecord[]): number {
    let position = start;
    for (;;) {
      const end = piece.indexOf('\n', position);
      if (end === -1) return position;
      const stop = end > position && piece.charCodeAt(end - 1) === 13 ? end - 1 : end;
      const line = piece.slice(position, stop);
      if (line.includes('"')) return position;
      const fields: (string | undefined)[] = line.split(this.#delimiter);
      if (fields.length > MAX_COLUMNS) throw this.#tooWide();
      for (let i = 0; i < fields.length; i++) if (fields[i] === '') fields[i] = undefined;
      records.push({ fields, line: this.#line++, chars: line.length });
      position = end + 1;
    }
  }

  /** Reads on to the next place where something changes. @returns where that is. */
  #step(piece: string, position: number, records: CsvRecord[]): number {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#recordLine = this.#line;
    }
    const next =
      this.#place === 'quoted' ? this.#quoted(piece, position) : this.#outside(piece, position, records);
    if (this.#isOpen) {
      this.#chars += next - position;
      if (this.#chars > MAX_RECORD_CHARS) throw this.#tooLong();
    }
    return next;
  }

  #quoted(piece: string, position: number): number {
    const quote = piece.indexOf('"', position);
    const end = quote === -1 ? piece.length : quote;
    const text = piece.slice(position, end);
    this.#parts.push(text);
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line++;
    if (quote === -1) return end;
    this.#place = 'quote in quoted';
    return end + 1;
  }

  #outside(piece: string, position: number, records: CsvRecord[]): number {
    const c = piece[position];
    if (c === '"' && this.#place !== 'plain') {
      if (this.#place === 'after quote') throw this.#afterQuote();
      if (this.#place === 'quote in quoted') this.#parts.push('"');
      this.#place = 'quoted';
      return position + 1;
    }
    if (this.#place === 'quote in quoted') this.#place = 'after quote';
    this.#stop.lastIndex = position;
    const end = this.#stop.exec(piece)?.index ?? piece.length;
    if (end > position) {
      if (this.#place === 'after quote') throw this.#afterQuote();
      this.#parts.push(piece.slice(position, end));
      this.#place = 'plain';
      return end;
    }
    this.#endField();
    if (c !== this.#delimiter) {
      this.#endRecord(records);
      return this.#endLine(piece, position);
    }
    return position + 1;
  }

  #endLine(piece: string, position: number): number {
    this.#line++;
    if (piece[position] === '\n') return position + 1;
    this.#afterReturn = position + 1 === piece.length;
    return piece[position + 1] === '\n' ? position + 2 : position + 1;
  }

  #endField(): void {
    const isQuoted = this.#place === 'quote in quoted' || this.#place === 'after quote';
    const text = this.#parts.length === 1 ? this.#parts[0]! : this.#parts.join('');
    this.#fields.push(text === '' && !isQuoted ? undefined : text);
    if (this.#fields.length > MAX_COLUMNS) throw this.#tooWide();
    this.#parts = [];
    this.#place = 'field start';
  }

  #endRecord(records: CsvRecord[]): void {
    records.push({ fields: this.#fields, line: this.#recordLine, chars: this.#chars });
    this.#fields = [];
    this.#chars = 0;
    this.#isOpen = false;
  }

  #malformed(what: string): MalformedRowError {
    const line = this.#isOpen ? this.#recordLine : this.#line;
    return new MalformedRowError(`${this.#file}, line ${line}: ${what}.`, { file: this.#file, row: line });
  }

  #tooLong(): MalformedRowError {
    if (this.#place === 'quoted') return this.#malformed('a quote is opened and never closed');
    return this.#malformed(`a line of more than ${MAX_RECORD_CHARS} characters`);
  }

  #tooWide(): MalformedRowError {
    return this.#malformed(`more than ${MAX_COLUMNS} fields`);
  }

  #afterQuote(): MalformedRowError {
    return this.#malformed(
      `field ${this.#fields.length + 1} goes on after its closing quote; a quote inside must be doubled`,
    );
  }
}
