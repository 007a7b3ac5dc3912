// The codes of a feature's categories, found by the bytes of their names as they stand in JSON: no text is made of them.

import type { CategoryName } from '../../../../shared/gbdt/model/model.ts';
import { afterString, BACKSLASH, QUOTE, SPACE, STOP, stringText } from './jsonBytes.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly code: number;
}

export class CategoryTable {
  /** By hash, modulo its length; after a place that is taken comes the next. At most half are taken. */
  readonly #places: (Entry | undefined)[];
  readonly #codes: ReadonlyMap<CategoryName, number>;

  constructor(codes: ReadonlyMap<CategoryName, number>) {
    this.#codes = codes;
    this.#places = Array.from({ length: 2 ** Math.ceil(Math.log2(2 * codes.size + 1)) }, () => undefined);
    const mask = this.#places.length - 1;
    for (const [name, code] of codes) {
      const bytes = Buffer.from(String(name));
      // Half of a surrogate pair has no bytes: it can only come as an escape.
      if (bytes.toString() !== name) continue;
      let place = bytes.reduce(hashStep, HASH_SEED) & mask;
      while (this.#places[place] !== undefined) place = (place + 1) & mask;
      this.#places[place] = { bytes, code };
    }
  }

  /** Reads a name's code into `into[0]`, NaN for one that there is not. @returns the position behind it, or STOP. */
  after(bytes: Uint8Array, at: number, into: Float64Array): number {
    let hash = HASH_SEED;
    let next = at + 1;
    let byte = bytes[next]!;
    while (byte !== QUOTE) {
      // The end is neither.
      if (!(byte >= SPACE) || byte === BACKSLASH) return this.#afterEscaped(bytes, at, into);
      hash = hashStep(hash, byte);
      byte = bytes[++next]!;
    }
    into[0] = this.#code(hash, bytes, at + 1, next);
    return next + 1;
  }

  #code(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = places[place];
      if (entry === undefined) return NaN;
      if (entry.bytes.length === to - from && isAt(entry.bytes, bytes, from)) return entry.code;
    }
  }

  #afterEscaped(bytes: Uint8Array, at: number, into: Float64Array): number {
    const end = afterString(bytes, at);
    const text = end === STOP ? undefined : stringText(bytes, at, end);
    if (text === undefined) return STOP;
    into[0] = this.#codes.get(text) ?? NaN;
    return end;
  }
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv */
const HASH_SEED = 0x811c9dc5 | 0;
function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

function isAt(wanted: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false;
  return true;
}
