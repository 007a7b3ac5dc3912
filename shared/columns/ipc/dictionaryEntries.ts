// The entries of an Arrow dictionary that deltas add to. They are joined when a batch refers to them, not with each delta.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../arrowData.ts';
import { concatBatches } from '../concatBatches.ts';
import { withOrigin } from '../dictionaryOrigin.ts';
import { GrowingStrings } from '../growingStrings.ts';

export class DictionaryEntries {
  /**
   * In order. Each piece is longer than all that follow it, or nearly, so that there are few of them and an entry is moved
   * as often as the logarithm of their number at most.
   */
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

  /** The entries so far, which stay as they are; the same vector until there are more. */
  vector(): arrow.Vector {
    return (this.#vector ??=
      this.#strings?.vector() ?? withOrigin(new arrow.Vector(this.#joinedPieces()), this));
  }

  #joinedPieces(): arrow.Data[] {
    const pieces = this.#pieces;
    let joinFrom = pieces.length - 1;
    for (let length = pieces[joinFrom]!.length; joinFrom > 0; joinFrom--) {
      const before = pieces[joinFrom - 1]!.length;
      if (before > length) break;
      length += before;
    }
    // All at once where many came since the last batch.
    if (joinFrom < pieces.length - 1) pieces.push(joined(pieces.splice(joinFrom)));
    return pieces.slice();
  }
}

function joined(pieces: readonly arrow.Data[]): arrow.Data {
  const schema = new arrow.Schema([new arrow.Field('entries', pieces[0]!.type, true)]);
  return concatBatches(pieces.map((data) => recordBatch(schema, [data], data.length))).data.children[0]!;
}

function isPlainText(data: arrow.Data): data is arrow.Data<arrow.Utf8> {
  return arrow.DataType.isUtf8(data.type) && data.nullCount === 0 && data.offset === 0;
}
