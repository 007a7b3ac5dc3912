// Dictionaries that continue one another: what was learned of the entries of one holds for the other.

import type * as arrow from 'apache-arrow';

const ORIGIN = Symbol('origin of a dictionary');

/** Marks the vectors that one growing dictionary gives: the shorter of two of one origin is the beginning of the longer. */
export function withOrigin(dictionary: arrow.Vector, origin: object): arrow.Vector {
  return Object.assign(dictionary, { [ORIGIN]: origin });
}

/** The same object for dictionaries of which the shorter is the beginning of the longer. */
export function originOf(dictionary: arrow.Vector & { readonly [ORIGIN]?: object }): object {
  // Vectors of several chunks may share the first one and differ in the others.
  return dictionary[ORIGIN] ?? (dictionary.data.length === 1 ? dictionary.data[0]! : dictionary);
}
