// What Dates leave out. Columns of micro- and nanoseconds are Dates in rows; those that a function hands on unchanged
// become their exact time again.

import * as arrow from 'apache-arrow';

interface ExactTime {
  /** Of the Date when it was made: one that was changed since is another time. */
  readonly ms: number;
  readonly units: bigint;
  readonly type: arrow.Timestamp;
}

export class ExactTimes {
  readonly #times = new WeakMap<Date, ExactTime>();

  /** @param values of the column, as rows have them. */
  remember(data: arrow.Data, values: readonly unknown[]): void {
    const { type } = data;
    if (!arrow.DataType.isTimestamp(type) || type.unit <= arrow.TimeUnit.MILLISECOND) return;
    const units = data.values as BigInt64Array;
    for (const [row, value] of values.entries())
      if (value instanceof Date) this.#times.set(value, { ms: value.getTime(), units: units[row]!, type });
  }

  /** The finest type of the Dates among the values; undefined when none is known. */
  typeOf(values: Iterable<unknown>): arrow.Timestamp | undefined {
    let finest: arrow.Timestamp | undefined;
    for (const value of values) {
      const type = value instanceof Date ? this.#times.get(value)?.type : undefined;
      if (type !== undefined && (finest === undefined || type.unit > finest.unit)) finest = type;
    }
    return finest;
  }

  /** Dates as units of the type; other values as they are. */
  unitsOf(values: readonly unknown[], type: arrow.Timestamp): unknown[] {
    const perMs = unitsIn(type);
    return values.map((value) => {
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return value;
      const exact = this.#times.get(value);
      if (exact === undefined || exact.ms !== value.getTime()) return BigInt(value.getTime()) * perMs;
      return (exact.units * perMs) / unitsIn(exact.type);
    });
  }
}

/** Units of a millisecond, for types at least as fine. */
function unitsIn(type: arrow.Timestamp): bigint {
  return 10n ** BigInt((type.unit - arrow.TimeUnit.MILLISECOND) * 3);
}
