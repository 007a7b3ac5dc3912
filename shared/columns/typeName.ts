// Arrow types in words, for comparing and for messages.

import * as arrow from 'apache-arrow';

/** E.g. `Int64`, `Timestamp<MICROSECOND>`; a dictionary of strings is named like plain strings. */
export function typeName(type: arrow.DataType): string {
  const logical = arrow.DataType.isDictionary(type) ? type.dictionary : type;
  return (logical as { toString(): string }).toString();
}
