// Dictionaries as JavaScript strings, decoded once however many batches of a stream share them.

import type * as arrow from 'apache-arrow';

export class DictionaryStrings {
  readonly #decoded = new WeakMap<object, readonly string[]>();

  /** The entries in code order. The same array for the same dictionary. */
  of(dictionary: arrow.Vector): readonly string[] {
    // Slicing a batch makes new vectors around the same data.
    const key = dictionary.data[0] ?? dictionary;
    let strings = this.#decoded.get(key);
    if (strings === undefined || strings.length !== dictionary.length) {
      strings = Array.from(dictionary, String);
      this.#decoded.set(key, strings);
    }
    return strings;
  }
}
