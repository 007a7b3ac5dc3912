// JSON values of one record, with bounds that JSON.parse does not have, and with what it would change: whole numbers
// beyond 2^53 stay exact, and NaN and infinities, which Python writes, are read.

import { parseInt64 } from './inferTextType.ts';

/** Lists in objects in lists …; user data is a few levels deep. */
const MAX_JSON_DEPTH = 100;

/** @throws Error saying what is wrong and where in `text`. */
export function parseJson(text: string): unknown {
  if (text.length > 2 * MAX_JSON_DEPTH) checkDepth(text);
  // The common case: nothing that JSON.parse would round.
  if (!/\d{16}/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      if (!/NaN|Infinity/.test(text)) throw error;
    }
  }
  return new JsonParser(text).whole();
}

function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) i = endOfString(text, i);
    else if (c === 91 || c === 123) {
      if (++depth > MAX_JSON_DEPTH)
        throw new Error(`it is nested more than ${MAX_JSON_DEPTH} levels deep (at character ${i + 1})`);
    } else if (c === 93 || c === 125) depth--;
  }
}

/** @param start the opening quote. @returns the closing one, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 92) i++;
    else if (c === 34) return i;
  }
  return text.length;
}

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const word = /-?[A-Za-z]+/y;

/** The grammar of RFC 8259, by recursive descent; the depth was bounded before. */
class JsonParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    this.#match(space);
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(): unknown {
    this.#match(space);
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#object();
      case '[':
        return this.#list();
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(): object {
    const members: [string, unknown][] = [];
    this.#items('}', () => {
      this.#match(space);
      if (this.#text[this.#at] !== '"') throw this.#unexpected();
      const name = this.#string();
      this.#match(space);
      if (this.#text[this.#at++] !== ':') throw this.#unexpected(-1);
      members.push([name, this.#value()]);
    });
    return Object.fromEntries(members);
  }

  #list(): unknown[] {
    const items: unknown[] = [];
    this.#items(']', () => items.push(this.#value()));
    return items;
  }

  #items(end: string, read: () => void): void {
    this.#at++;
    this.#match(space);
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      read();
      this.#match(space);
      const next = this.#text[this.#at++];
      if (next === end) return;
      if (next !== ',') throw this.#unexpected(-1);
    }
  }

  #string(): string {
    const end = endOfString(this.#text, this.#at);
    const literal = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    return JSON.parse(literal) as string;
  }

  #scalar(): unknown {
    const digits = this.#match(number);
    if (digits !== undefined) return numberOf(digits);
    const name = this.#match(word);
    if (name !== undefined && words.has(name)) return words.get(name);
    throw this.#unexpected(-(name?.length ?? 0));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #unexpected(offset = 0): Error {
    const at = this.#at + offset;
    const found = at < this.#text.length ? JSON.stringify(this.#text.slice(at, at + 10)) : 'the end';
    return new Error(`Unexpected ${found} at character ${at + 1}`);
  }
}

/** Whole numbers that a double would round are bigints. */
function numberOf(digits: string): number | bigint {
  const value = Number(digits);
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(digits)) return value;
  const exact = parseInt64(digits);
  if (exact !== undefined) return exact;
  // Beyond 400 digits it is infinite as a double anyway.
  if (digits.length > 400) return value;
  const wide = BigInt(digits);
  return BigInt(value) === wide && wide > 2n ** 64n ? value : wide;
}
