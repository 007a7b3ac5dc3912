// JSON lines, or one array of objects, cut into objects without holding the whole file. Each character is looked at
// once, however the text comes in pieces.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { MalformedRowError } from '../plan/dataErrors.ts';
import { parseJson } from './parseJson.ts';

const MAX_RECORD_CHARS = 16 * 1024 * 1024;

/** A parsed value and the 1-based line of the file where it begins. */
export interface JsonRecord {
  readonly value: unknown;
  readonly line: number;
  /** Its length in the file. */
  readonly chars: number;
}

/** The file's first character tells which of the two it is. @throws MalformedRowError naming file and line. */
export async function* jsonRecords(
  pieces: AsyncIterable<string>,
  file: string,
): AsyncGenerator<JsonRecord[]> {
  let scanner: Scanner | undefined;
  const open = new OpenRecord(file);
  for await (const piece of pieces) {
    let rest = piece;
    if (scanner === undefined) {
      rest = piece.trimStart();
      open.countLines(piece.slice(0, piece.length - rest.length));
      if (rest === '') continue;
      scanner = rest.startsWith('[') ? new ArrayScanner(open) : new LineScanner(open);
    }
    const records = scanner.push(rest);
    if (records.length > 0) yield records;
  }
  if (scanner !== undefined) yield scanner.end();
}

interface Scanner {
  push(text: string): JsonRecord[];
  end(): JsonRecord[];
}

/** The pieces of the record that is being read. */
class OpenRecord {
  readonly #file: string;
  #parts: string[] = [];
  #chars = 0;
  line = 1;
  /** Where the record begins. */
  startLine = 1;

  constructor(file: string) {
    this.#file = file;
  }

  countLines(text: string): void {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.line++;
  }

  add(text: string): void {
    this.#parts.push(text);
    this.#chars += text.length;
    if (this.#chars > MAX_RECORD_CHARS)
      throw this.malformed(`a record of more than ${MAX_RECORD_CHARS} characters`, this.startLine);
  }

  /** Nothing for a record of blanks. */
  finish(records: JsonRecord[]): void {
    const text = this.#parts.join('');
    const chars = this.#chars;
    this.#parts = [];
    this.#chars = 0;
    if (text.trim() === '') return;
    try {
      records.push({ value: parseJson(text), line: this.startLine, chars });
    } catch (error) {
      throw this.malformed(messageOf(error), this.startLine, error);
    }
  }

  malformed(what: string, line = this.line, cause?: unknown): MalformedRowError {
    return new MalformedRowError(
      `${this.#file}, line ${line}: ${what}.`,
      { file: this.#file, row: line },
      { cause },
    );
  }
}

class LineScanner implements Scanner {
  readonly #open: OpenRecord;

  constructor(open: OpenRecord) {
    this.#open = open;
    open.startLine = open.line;
  }

  push(piece: string): JsonRecord[] {
    const records: JsonRecord[] = [];
    let start = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      this.#open.add(piece.slice(start, end));
      this.#open.finish(records);
      this.#open.startLine = ++this.#open.line;
      start = end + 1;
    }
    this.#open.add(piece.slice(start));
    return records;
  }

  end(): JsonRecord[] {
    const records: JsonRecord[] = [];
    this.#open.finish(records);
    return records;
  }
}

/** Finds where the elements of the outer array begin and end; the parser does the rest. */
class ArrayScanner implements Scanner {
  readonly #open: OpenRecord;
  #depth = 0;
  #inElement = false;
  #inString = false;
  /** A backslash takes the next character with it; that may come with the next piece. */
  #isEscaped = false;
  #ended = false;

  constructor(open: OpenRecord) {
    this.#open = open;
  }

  push(piece: string): JsonRecord[] {
    const records: JsonRecord[] = [];
    /** Where the part of the open element begins in this piece. */
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      const c = piece.charCodeAt(i);
      if (c === 10) this.#open.line++;
      if (this.#inString) {
        this.#readString(c);
        continue;
      }
      if (this.#ended) {
        if (!isSpace(c)) throw this.#open.malformed('there is more after the end of the array');
      } else if (this.#depth === 1 && (c === 44 || c === 93)) {
        if (this.#inElement) {
          this.#open.add(piece.slice(start, i));
          this.#open.finish(records);
        }
        this.#inElement = false;
        this.#ended = c === 93;
      } else {
        if (this.#depth === 1 && !this.#inElement && !isSpace(c)) {
          this.#inElement = true;
          this.#open.startLine = this.#open.line;
          start = i;
        }
        this.#step(c);
      }
    }
    if (this.#inElement) this.#open.add(piece.slice(start));
    return records;
  }

  #readString(c: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (c === 92) this.#isEscaped = true;
    else if (c === 34) this.#inString = false;
  }

  #step(c: number): void {
    if (c === 34) this.#inString = true;
    else if (c === 91 || c === 123) this.#depth++;
    else if (c === 93 || c === 125) this.#depth--;
  }

  end(): JsonRecord[] {
    if (!this.#ended) throw this.#open.malformed('the array is not closed; the file is cut off');
    return [];
  }
}

function isSpace(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9;
}
