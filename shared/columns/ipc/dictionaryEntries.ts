// The entries of an Arrow dictionary that deltas add to. They are joined when a batch refers to them, not with each delta.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../arrowData.ts';
import { concatBatches } from '../concatBatches.ts';
import { GrowingStrings } from '../growingStrings.ts';

export class DictionaryEntries {
  /** Joined and not: the first are those that came first. */
  #pieces: arrow.Data[] = [];
  /** Instead, for text without missing entries: what nearly all dictionaries hold. */
  #strings: GrowingStrings | undefined;
  #vector: arrow.Vector | undefined;

  constructor(data: arrow.Data) {
    if (isPlainText(data)) this.#strings = new GrowingStrings(data.valueOffsets, data.values, data.length);
    else this.#pieces.push(data);
  }

  append(data: arrow.Data): void {
    this.#vector = undefined;
    if (this.#strings !== undefined && isPlainText(data)) {
      this.#strings.append(data.valueOffsets, data.values, 0, data.length);
      return;
    }
    if (this.#strings !== undefined) this.#pieces.push(this.#strings.vector().data[0]!);
    this.#strings = undefined;
    this.#pieces.push(data);
  }

  /** The entries so far; the same until there are more. */
  vector(): arrow.Vector {
    return (this.#vector ??= this.#strings?.vector() ?? new arrow.Vector([this.#joined()]));
  }

  #joined(): arrow.Data {
    const [first] = this.#pieces;
    if (this.#pieces.length > 1) {
      const schema = new arrow.Schema([new arrow.Field('entries', first!.type, true)]);
      const batches = this.#pieces.map((data) => recordBatch(schema, [data], data.length));
      this.#pieces = [concatBatches(batches).data.children[0]!];
    }
    return this.#pieces[0]!;
  }
}

function isPlainText(data: arrow.Data): data is arrow.Data<arrow.Utf8> {
  return arrow.DataType.isUtf8(data.type) && data.nullCount === 0 && data.offset === 0;
}
