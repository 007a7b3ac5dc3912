// One dictionary for a categorical column over all batches, whatever dictionaries the batches came with.

import { MAX_VALUE_BINS, MISSING_BIN } from '../../../kernels/gbdt/treeDevice.ts';
import { CategoryError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import type { CategoricalColumn } from '../../../shared/columns/columnBatch.ts';

/** Distinct names are counted for the message up to here, then reading ends. */
const COUNT_LIMIT = 65_536;

/** Learns the categories of the training set. Codes are in order of appearance until `finish` sorts them. */
export class GrowingCategories {
  readonly #column: string;
  readonly #codes = new Map<string, number>();
  readonly #fixed: number;
  #dictionary: readonly string[] | undefined;
  #mapping = new Int32Array();

  /** @param first categories that keep their codes from 0 on (those of a model that is trained further). */
  constructor(column: string, first: readonly string[] = []) {
    this.#column = column;
    for (const name of first) this.#codes.set(name, this.#codes.size);
    this.#fixed = first.length;
  }

  /** Writes the codes of rows [from, to) to `target` from `at` on; MISSING_BIN for missing. */
  encode(
    { codes, dictionary }: CategoricalColumn,
    from: number,
    to: number,
    target: Uint8Array,
    at: number,
  ): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#mapping = new Int32Array();
    }
    if (this.#mapping.length < dictionary.length) this.#mapping = grown(this.#mapping, dictionary.length);
    const mapping = this.#mapping;
    for (let row = from; row < to; row++) {
      const code = codes[row]!;
      if (code < 0) {
        target[at + row - from] = MISSING_BIN;
        continue;
      }
      // Only names that some row uses become categories.
      if (mapping[code]! < 0) mapping[code] = this.#codeOf(dictionary[code]!);
      target[at + row - from] = mapping[code]!;
    }
  }

  #codeOf(name: string): number {
    const known = this.#codes.get(name);
    if (known !== undefined) return known;
    if (this.#codes.size >= COUNT_LIMIT) throw this.#tooMany(`more than ${COUNT_LIMIT}`);
    this.#codes.set(name, this.#codes.size);
    return this.#codes.size - 1;
  }

  #tooMany(count: string): CategoryError {
    return new CategoryError(
      `Categorical column "${this.#column}" has ${count} categories; expected at most ${MAX_VALUE_BINS}. ` +
        `Join rare ones, drop the column, or make it a number.`,
      { column: this.#column },
    );
  }

  /**
   * The categories by final code, sorted by code unit so that they don't depend on the order of rows, and the
   * final code of each code that `encode` wrote.
   * @throws CategoryError with the number of categories when there are more than bins.
   */
  finish(): { categories: readonly string[]; finalCodes: Uint8Array } {
    const names = [...this.#codes.keys()];
    if (names.length > MAX_VALUE_BINS) throw this.#tooMany(String(names.length));
    const categories = [...names.slice(0, this.#fixed), ...names.slice(this.#fixed).sort(byCodeUnit)];
    const finalCodes = new Uint8Array(256).fill(MISSING_BIN);
    for (const [code, name] of categories.entries()) finalCodes[this.#codes.get(name)!] = code;
    return { categories, finalCodes };
  }
}

/** Codes of a known list of categories; names outside it count as missing, as they do in prediction. */
export class KnownCategories {
  readonly #codes: ReadonlyMap<string, number>;
  #dictionary: readonly string[] | undefined;
  #mapping = new Int32Array();

  constructor(categories: readonly string[]) {
    this.#codes = new Map(categories.map((name, code) => [name, code]));
  }

  /** As GrowingCategories.encode, with final codes. */
  encode(
    { codes, dictionary }: CategoricalColumn,
    from: number,
    to: number,
    target: Uint8Array,
    at: number,
  ): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#mapping = new Int32Array();
    }
    if (this.#mapping.length < dictionary.length) this.#mapping = grown(this.#mapping, dictionary.length);
    const mapping = this.#mapping;
    for (let row = from; row < to; row++) {
      const code = codes[row]!;
      if (code >= 0 && mapping[code]! < 0) mapping[code] = this.#codes.get(dictionary[code]!) ?? MISSING_BIN;
      target[at + row - from] = code < 0 ? MISSING_BIN : mapping[code]!;
    }
  }
}

/** Dictionaries become longer between batches. Twice as long at least, so that codes are copied once or twice in all. */
function grown(mapping: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(length, 2 * mapping.length)).fill(-1, mapping.length);
  longer.set(mapping);
  return longer;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
