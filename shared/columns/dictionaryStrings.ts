// Dictionaries as JavaScript strings: each entry is decoded once, however many batches of a stream share it.

import type * as arrow from 'apache-arrow';
import { originOf } from './dictionaryOrigin.ts';

export class DictionaryStrings {
  readonly #decoded = new WeakMap<object, string[]>();

  /**
   * The entries in code order; "null" for a missing one. The same array for dictionaries that continue one another: it
   * has the entries of the longest, and becomes longer with the next one.
   */
  of(dictionary: arrow.Vector): readonly string[] {
    const origin = originOf(dictionary);
    let strings = this.#decoded.get(origin);
    if (strings === undefined) this.#decoded.set(origin, (strings = []));
    for (let code = strings.length; code < dictionary.length; code++) {
      strings.push(String(dictionary.get(code)));
    }
    return strings;
  }
}
