// JSON lines, or one array of objects, cut into objects without holding the whole file.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { MalformedRowError } from '../errors.ts';

const MAX_RECORD_CHARS = 64 * 1024 * 1024;

/** A parsed value and the 1-based line of the file where it begins. */
export interface JsonRecord {
  readonly value: unknown;
  readonly line: number;
}

/** The file's first character tells which of the two it is. @throws MalformedRowError naming file and line. */
export async function* jsonRecords(
  pieces: AsyncIterable<string>,
  file: string,
): AsyncGenerator<JsonRecord[]> {
  let scanner: Scanner | undefined;
  let head = '';
  for await (const piece of pieces) {
    if (scanner === undefined) {
      head += piece;
      const first = head.trimStart()[0];
      if (first === undefined) continue;
      scanner = first === '[' ? new ArrayScanner(file) : new LineScanner(file);
      yield scanner.push(head);
    } else {
      yield scanner.push(piece);
    }
  }
  if (scanner !== undefined) yield scanner.end();
}

interface Scanner {
  push(text: string): JsonRecord[];
  end(): JsonRecord[];
}

function parse(text: string, file: string, line: number): JsonRecord {
  try {
    return { value: JSON.parse(text) as unknown, line };
  } catch (error) {
    throw new MalformedRowError(`${file}, line ${line}: ${messageOf(error)}.`, { file }, { cause: error });
  }
}

function tooLong(file: string, line: number): MalformedRowError {
  return new MalformedRowError(
    `${file}, line ${line}: a record of more than ${MAX_RECORD_CHARS} characters.`,
    { file },
  );
}

class LineScanner implements Scanner {
  readonly #file: string;
  #text = '';
  #line = 1;

  constructor(file: string) {
    this.#file = file;
  }

  push(piece: string): JsonRecord[] {
    const records: JsonRecord[] = [];
    const lines = (this.#text + piece).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') records.push(parse(line, this.#file, this.#line));
      this.#line++;
    }
    if (this.#text.length > MAX_RECORD_CHARS) throw tooLong(this.#file, this.#line);
    return records;
  }

  end(): JsonRecord[] {
    return this.#text.trim() === '' ? [] : [parse(this.#text, this.#file, this.#line)];
  }
}

/** Finds where the elements of the outer array begin and end; JSON.parse does the rest. */
class ArrayScanner implements Scanner {
  readonly #file: string;
  #text = '';
  #position = 0;
  #line = 1;
  /** Where the current element begins, with its line. */
  #start = -1;
  #startLine = 1;
  #depth = 0;
  #inString = false;
  #ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  push(piece: string): JsonRecord[] {
    this.#text += piece;
    const records: JsonRecord[] = [];
    for (; this.#position < this.#text.length; this.#position++) {
      const c = this.#text.charCodeAt(this.#position);
      if (c === 10) this.#line++;
      if (this.#inString) {
        // A backslash takes the next character with it; that may come with the next piece.
        if (c === 92) this.#position++;
        else if (c === 34) this.#inString = false;
      } else {
        this.#step(c, records);
      }
    }
    const keep = this.#start === -1 ? this.#text.length : this.#start;
    const overshoot = this.#position - this.#text.length;
    this.#position = this.#text.length - keep + overshoot;
    this.#text = this.#text.slice(keep);
    if (this.#start !== -1) this.#start = 0;
    if (this.#text.length > MAX_RECORD_CHARS) throw tooLong(this.#file, this.#startLine);
    return records;
  }

  #step(c: number, records: JsonRecord[]): void {
    const isSpace = c === 32 || c === 10 || c === 13 || c === 9;
    if (this.#ended) {
      if (!isSpace) throw this.#wrong('there is more after the end of the array');
      return;
    }
    if (this.#depth === 1 && (c === 44 || c === 93)) {
      if (this.#start !== -1) {
        records.push(parse(this.#text.slice(this.#start, this.#position), this.#file, this.#startLine));
        this.#start = -1;
      }
      if (c === 93) {
        this.#depth = 0;
        this.#ended = true;
      }
      return;
    }
    if (this.#depth === 1 && this.#start === -1 && !isSpace) {
      this.#start = this.#position;
      this.#startLine = this.#line;
    }
    if (c === 34) this.#inString = true;
    else if (c === 91 || c === 123) this.#depth++;
    else if (c === 93 || c === 125) this.#depth--;
  }

  #wrong(what: string): MalformedRowError {
    return new MalformedRowError(`${this.#file}, line ${this.#line}: ${what}.`, { file: this.#file });
  }

  end(): JsonRecord[] {
    if (!this.#ended) throw this.#wrong('the array is not closed; the file is cut off');
    return [];
  }
}
