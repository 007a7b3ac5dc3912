// Reads the rows of a body straight into columns: from its bytes to the float32 that the trees compare, without an object a
// row. It takes the shapes that readRows takes, as clients write them. Anything else, and all that is wrong, it leaves to
// readRows, whose errors name row and field.

import { isUtf8 } from 'node:buffer';
import type { ModelFeature } from '../../../../shared/gbdt/model/modelFeatures.ts';
import type { FeatureRows, RowShape } from '../readRows.ts';
import { ColumnStore } from './columnStore.ts';
import { RowField } from './rowField.ts';
import {
  afterMark,
  afterSpace,
  afterString,
  afterThisString,
  CLOSE_LIST,
  CLOSE_RECORD,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_RECORD,
  QUOTE,
  STOP,
  stringText,
} from './jsonBytes.ts';

/** A key of a record, in the place where the record before had it. */
interface Key {
  readonly bytes: Uint8Array;
  readonly field: RowField;
}

/** Beyond these readRows says whether there are too many. */
const MAX_KEYS = 4_096;
const MAX_ROWS = 1 << 20;
/** Wider rows are rare, and their columns take much memory. */
const MAX_FEATURES = 4_096;
/** Longer ones are looked up each time. */
const MAX_KEPT_KEY = 200;

export class RowReader {
  readonly #fields: readonly RowField[];
  readonly #byName: ReadonlyMap<string, RowField>;
  /** What the model does not know. */
  readonly #other = new RowField();
  readonly #store: ColumnStore;
  /** In the order of the last record. */
  readonly #keys: Key[] = [];
  /** By feature: the last row that has it, from 1; of columns their length, from 1. */
  readonly #seen: Uint32Array;
  #bytes: Uint8Array = NOTHING;
  /** How many rows, or values of a column, were read. */
  #count = 0;
  /** The key that was read. */
  #field: RowField = this.#other;

  private constructor(features: readonly ModelFeature[]) {
    this.#fields = features.map((feature, index) => new RowField(feature, index));
    this.#byName = new Map(features.map(({ name }, index) => [name, this.#fields[index]!]));
    this.#store = new ColumnStore(features.length);
    this.#seen = new Uint32Array(features.length);
  }

  /** Undefined for a model whose rows readRows has to read. */
  static of(features: readonly ModelFeature[]): RowReader | undefined {
    const names = new Set(features.map(({ name }) => name));
    const isPlain = names.size === features.length && names.size > 0 && names.size <= MAX_FEATURES;
    return isPlain ? new RowReader(features) : undefined;
  }

  /**
   * The rows of a body in one of the shapes of readRows.
   * @returns columns that are good until the next call; undefined where readRows has to read the body, or to say what is
   *   wrong with it.
   */
  read(body: string | Uint8Array): FeatureRows | undefined {
    return this.#open(body, (from) => {
      if (this.#bytes[from] !== QUOTE) return this.#shaped(from);
      const end = afterString(this.#bytes, from);
      const text = this.#isEnd(end) ? stringText(this.#bytes, from, end) : undefined;
      if (text === undefined || LONE_SURROGATE.test(text)) return undefined;
      this.#bytes = Buffer.from(text);
      return this.#shaped(start(this.#bytes));
    });
  }

  /** As `read`, of `{"instances": [a row each]}`. */
  readInstances(body: string | Uint8Array): FeatureRows | undefined {
    return this.#open(body, (from) => {
      const bytes = this.#bytes;
      if (bytes[from] !== OPEN_RECORD) return undefined;
      let at = afterThisString(bytes, afterSpace(bytes, from + 1), INSTANCES);
      if (at !== STOP) at = afterMark(bytes, at, COLON);
      if (at !== STOP) at = afterMark(bytes, at, OPEN_LIST);
      if (at !== STOP) at = this.#afterRows(at);
      return at === STOP ? undefined : this.#whole('records', afterMark(bytes, at, CLOSE_RECORD));
    });
  }

  #open(body: string | Uint8Array, read: (from: number) => FeatureRows | undefined): FeatureRows | undefined {
    if (typeof body !== 'string' && !isUtf8(body)) return undefined;
    this.#bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#seen.fill(0);
    const rows = read(start(this.#bytes));
    this.#bytes = NOTHING;
    this.#store.trim();
    return rows;
  }

  #shaped(from: number): FeatureRows | undefined {
    const first = this.#bytes[from];
    if (first === OPEN_LIST) return this.#whole('records', this.#afterRows(from + 1));
    if (first !== OPEN_RECORD) return undefined;
    const end = this.#afterRecord(from + 1, 0);
    if (end !== STOP) {
      this.#count = 1;
      return this.#whole('record', end);
    }
    this.#seen.fill(0);
    return this.#whole('columns', this.#afterTable(from + 1));
  }

  #whole(shape: RowShape, end: number): FeatureRows | undefined {
    if (!this.#isEnd(end)) return undefined;
    return { shape, rows: this.#count, columns: this.#store.first(this.#count) };
  }

  #isEnd(end: number): boolean {
    return end !== STOP && afterSpace(this.#bytes, end) === this.#bytes.length;
  }

  /** Records, or arrays of values, behind the bracket of an array. */
  #afterRows(from: number): number {
    const bytes = this.#bytes;
    let row = 0;
    let at = afterSpace(bytes, from);
    if (bytes[at] !== CLOSE_LIST) {
      do {
        at = afterSpace(bytes, at);
        if (bytes[at] === OPEN_RECORD) at = this.#afterRecord(at + 1, row);
        else at = bytes[at] === OPEN_LIST ? this.#afterValues(at + 1, row) : STOP;
        if (at === STOP || ++row > MAX_ROWS) return STOP;
        at = afterSpace(bytes, at);
      } while (bytes[at++] === COMMA);
      at -= 1;
    }
    this.#count = row;
    return afterMark(bytes, at, CLOSE_LIST);
  }

  /** `"name": value` of all features in any order, behind the brace of a record. */
  #afterRecord(from: number, row: number): number {
    const bytes = this.#bytes;
    const seen = this.#seen;
    const columns = this.#store.withRow(row);
    let at = from;
    let found = 0;
    let place = 0;
    do {
      at = this.#afterKey(at, place++);
      if (at === STOP || place > MAX_KEYS) return STOP;
      const { index } = this.#field;
      const column = columns[index];
      if (column === undefined) at = this.#other.after(bytes, afterSpace(bytes, at), NOWHERE, 0);
      else {
        at = this.#field.after(bytes, afterSpace(bytes, at), column, row);
        if (seen[index] !== row + 1) found += 1;
        seen[index] = row + 1;
      }
      if (at === STOP) return STOP;
      at = afterSpace(bytes, at);
    } while (bytes[at++] === COMMA);
    return found === this.#fields.length && bytes[at - 1] === CLOSE_RECORD ? at : STOP;
  }

  /** `value, value` in the model's order, behind the bracket of a row. */
  #afterValues(from: number, row: number): number {
    const bytes = this.#bytes;
    const columns = this.#store.withRow(row);
    let at = from;
    for (const field of this.#fields) {
      if (field.index > 0) at = afterMark(bytes, at, COMMA);
      if (at !== STOP) at = field.after(bytes, afterSpace(bytes, at), columns[field.index]!, row);
      if (at === STOP) return STOP;
    }
    return afterMark(bytes, at, CLOSE_LIST);
  }

  /** `"name": [values]` of all features, of one length, behind the brace. */
  #afterTable(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let place = 0;
    do {
      at = this.#afterKey(at, place++);
      if (at !== STOP) at = afterMark(bytes, at, OPEN_LIST);
      if (at === STOP || place > MAX_KEYS) return STOP;
      const field = this.#field;
      at = this.#afterColumn(at, field);
      if (at === STOP) return STOP;
      if (field !== this.#other) this.#seen[field.index] = this.#count + 1;
      at = afterSpace(bytes, at);
    } while (bytes[at++] === COMMA);
    const rows = this.#seen[0]! - 1;
    this.#count = rows;
    const isEven = rows >= 0 && this.#seen.every((length) => length === rows + 1);
    return isEven && bytes[at - 1] === CLOSE_RECORD ? at : STOP;
  }

  /** The values of a column, behind its bracket; `#count` is their number. */
  #afterColumn(from: number, field: RowField): number {
    const bytes = this.#bytes;
    let row = 0;
    let at = afterSpace(bytes, from);
    if (bytes[at] !== CLOSE_LIST) {
      do {
        const column = field === this.#other ? NOWHERE : this.#store.withRow(row)[field.index]!;
        at = field.after(bytes, afterSpace(bytes, at), column, row);
        if (at === STOP || ++row > MAX_ROWS) return STOP;
        at = afterSpace(bytes, at);
      } while (bytes[at++] === COMMA);
      at -= 1;
    }
    this.#count = row;
    return afterMark(bytes, at, CLOSE_LIST);
  }

  /** A key with its colon; `#field` is what it names. @param place in its record. */
  #afterKey(from: number, place: number): number {
    const bytes = this.#bytes;
    const at = afterSpace(bytes, from);
    const expected = this.#keys[place];
    let end = expected === undefined ? STOP : afterThisString(bytes, at, expected.bytes);
    if (end === STOP) {
      end = afterString(bytes, at);
      const name = end === STOP ? undefined : stringText(bytes, at, end);
      if (name === undefined) return STOP;
      this.#field = this.#byName.get(name) ?? this.#other;
      const key = { bytes: bytes.slice(at + 1, end - 1), field: this.#field };
      if (place <= this.#keys.length && key.bytes.length <= MAX_KEPT_KEY) this.#keys[place] = key;
    } else this.#field = expected!.field;
    return afterMark(bytes, end, COLON);
  }
}

const NOTHING = new Uint8Array(0);
/** Takes what is not kept. */
const NOWHERE = new Float32Array(0);
const INSTANCES = Buffer.from('instances');
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A byte order mark may be ignored (RFC 8259, section 8.1). */
function start(bytes: Uint8Array): number {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return afterSpace(bytes, hasMark ? 3 : 0);
}
