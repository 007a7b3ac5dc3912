// The aggregates of groupBy. Each keeps numbers for each group that can be put in a batch and merged with those of other
// batches, so that groups which do not fit in memory can wait on disk.

import * as arrow from 'apache-arrow';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { DataArgumentError } from '../plan/dataErrors.ts';
import { requireOrder } from './sortRows.ts';
import { compareValues } from './valueOrder.ts';

export interface Aggregate {
  readonly kind: 'sum' | 'min' | 'max' | 'mean' | 'std' | 'count';
  /** Undefined for a count of rows. */
  readonly column: string | undefined;
}

/** As Ray names them: `sum(x)`, `count()`. */
export function aggregateName({ kind, column }: Aggregate): string {
  return `${kind}(${column ?? ''})`;
}

/** A value of a group, or part of one, for as many groups as there are. */
type Numbers = (number | bigint)[];

export interface Accumulator {
  /** Of the columns that `states` gives. */
  readonly stateTypes: readonly arrow.DataType[];
  readonly resultType: arrow.DataType;
  /** A value that is not missing, as exactValuesOf gives it. */
  add(group: number, value: unknown): void;
  /** What was kept of a group elsewhere. */
  merge(group: number, states: readonly unknown[]): void;
  /** One array for each state, with an entry for each group. */
  states(): unknown[][];
  /** @param groups how many there are; those without a value are missing. */
  results(groups: number): arrow.Data;
}

/** @param type of the aggregate's column; undefined for a count of rows. @throws TypeMismatchError */
export function accumulatorOf(aggregate: Aggregate, type: arrow.DataType | undefined): Accumulator {
  const { kind, column = '' } = aggregate;
  if (kind === 'count' || type === undefined) return new Count();
  if (kind === 'min' || kind === 'max') {
    requireOrder(type, column);
    return new Extreme(type, kind === 'min' ? 1 : -1);
  }
  const isNumber = arrow.DataType.isInt(type) || arrow.DataType.isFloat(type) || arrow.DataType.isBool(type);
  if (!isNumber && !arrow.DataType.isNull(type)) {
    throw new TypeMismatchError(`${kind} needs numbers; column "${column}" holds ${typeName(type)}.`, {
      column,
    });
  }
  if (kind === 'std') return new Deviation();
  if (kind === 'mean') return new Mean();
  return arrow.DataType.isInt(type) ? new WholeSum(type, column) : new Sum();
}

const aggregateKinds: ReadonlySet<string> = new Set(['sum', 'min', 'max', 'mean', 'std', 'count']);

/** @throws DataArgumentError for unknown kinds, columns that are left out, and names that are there twice. */
export function checkAggregates(keys: readonly string[], aggregates: readonly Aggregate[]): void {
  const names = new Set<string>();
  const enter = (name: string, what: string): void => {
    if (names.has(name))
      throw new DataArgumentError(`groupBy gives two columns named "${name}": ${what}; rename one before.`, {
        column: name,
      });
    names.add(name);
  };
  for (const key of keys) enter(key, 'a key is named twice');
  for (const { kind, column } of aggregates) {
    if (!aggregateKinds.has(kind))
      throw new DataArgumentError(`"${kind}" is no aggregate; ${[...aggregateKinds].join(', ')} are.`, {
        field: 'kind',
      });
    if (column === undefined ? kind !== 'count' : typeof column !== 'string')
      throw new DataArgumentError(`The aggregate ${kind} needs the name of a column.`, { field: 'column' });
    enter(aggregateName({ kind, column }), 'an aggregate is named like another column');
  }
}

class Count implements Accumulator {
  readonly stateTypes = [new arrow.Float64()];
  readonly resultType = new arrow.Float64();
  readonly #counts: number[] = [];

  add(group: number): void {
    this.#counts[group] = (this.#counts[group] ?? 0) + 1;
  }

  merge(group: number, [count]: readonly unknown[]): void {
    this.#counts[group] = (this.#counts[group] ?? 0) + ((count ?? 0) as number);
  }

  states(): unknown[][] {
    return [this.#counts];
  }

  results(groups: number): arrow.Data {
    return columnFromValues(
      Array.from({ length: groups }, (_, group) => this.#counts[group] ?? 0),
      this.resultType,
    );
  }
}

/** NaN is the largest number, as in sorts. */
class Extreme implements Accumulator {
  readonly stateTypes: readonly arrow.DataType[];
  readonly resultType: arrow.DataType;
  readonly #sign: number;
  readonly #values: unknown[] = [];

  constructor(type: arrow.DataType, sign: number) {
    this.resultType = type;
    this.stateTypes = [type];
    this.#sign = sign;
  }

  add(group: number, value: unknown): void {
    const held = this.#values[group];
    if (held === undefined || compareValues(value, held) * this.#sign < 0) this.#values[group] = value;
  }

  merge(group: number, [value]: readonly unknown[]): void {
    if (value !== null && value !== undefined) this.add(group, value);
  }

  states(): unknown[][] {
    return [toColumnValues(this.#values, this.resultType)];
  }

  results(groups: number): arrow.Data {
    return ofLength(this.states()[0]!, groups, this.resultType);
  }
}

/** Of fractions and booleans. */
class Sum implements Accumulator {
  readonly stateTypes = [new arrow.Float64()];
  readonly resultType = new arrow.Float64();
  readonly #sums: number[] = [];

  add(group: number, value: unknown): void {
    this.#sums[group] = (this.#sums[group] ?? 0) + Number(value);
  }

  merge(group: number, [sum]: readonly unknown[]): void {
    if (sum !== null && sum !== undefined) this.add(group, sum);
  }

  states(): unknown[][] {
    return [this.#sums];
  }

  results(groups: number): arrow.Data {
    return ofLength(this.#sums, groups, this.resultType);
  }
}

/** Of whole numbers: exact, in 64 bits. */
class WholeSum implements Accumulator {
  readonly stateTypes: readonly arrow.DataType[];
  readonly resultType: arrow.DataType;
  readonly #column: string;
  readonly #sums: Numbers = [];

  constructor(type: arrow.Int, column: string) {
    this.resultType = type.bitWidth === 64 && !type.isSigned ? type : new arrow.Int64();
    this.stateTypes = [this.resultType];
    this.#column = column;
  }

  add(group: number, value: unknown): void {
    const held = this.#sums[group] ?? 0;
    const sum = Number(held) + Number(value);
    // Doubles are exact up to 2^53, and sums of them that end below it were exact, too.
    this.#sums[group] =
      Number.isSafeInteger(sum) && typeof held === 'number' && typeof value === 'number'
        ? sum
        : BigInt(held) + BigInt(value as number | bigint);
  }

  merge(group: number, [sum]: readonly unknown[]): void {
    if (sum !== null && sum !== undefined) this.add(group, sum);
  }

  states(): unknown[][] {
    for (const sum of this.#sums) {
      if (typeof sum !== 'bigint') continue;
      const fits =
        this.resultType.ArrayType === BigUint64Array ? BigInt.asUintN(64, sum) : BigInt.asIntN(64, sum);
      if (fits === sum) continue;
      throw new TypeMismatchError(
        `The sum of column "${this.#column}" is ${sum}, which 64 bits do not hold; make the column doubles before.`,
        { column: this.#column },
      );
    }
    return [this.#sums];
  }

  results(groups: number): arrow.Data {
    return ofLength(this.states()[0]!, groups, this.resultType);
  }
}

class Mean implements Accumulator {
  readonly stateTypes = [new arrow.Float64(), new arrow.Float64()];
  readonly resultType = new arrow.Float64();
  readonly #sums: number[] = [];
  readonly #counts: number[] = [];

  add(group: number, value: unknown): void {
    this.merge(group, [Number(value), 1]);
  }

  merge(group: number, [sum, count]: readonly unknown[]): void {
    this.#sums[group] = (this.#sums[group] ?? 0) + ((sum ?? 0) as number);
    this.#counts[group] = (this.#counts[group] ?? 0) + ((count ?? 0) as number);
  }

  states(): unknown[][] {
    return [this.#sums, this.#counts];
  }

  results(groups: number): arrow.Data {
    const means = Array.from({ length: groups }, (_, group) => {
      const count = this.#counts[group] ?? 0;
      return count === 0 ? null : this.#sums[group]! / count;
    });
    return columnFromValues(means, this.resultType);
  }
}

/** Of the sample; by Welford's update, and Chan's for merging. */
class Deviation implements Accumulator {
  readonly stateTypes = [new arrow.Float64(), new arrow.Float64(), new arrow.Float64()];
  readonly resultType = new arrow.Float64();
  readonly #counts: number[] = [];
  readonly #means: number[] = [];
  readonly #squares: number[] = [];

  add(group: number, value: unknown): void {
    this.merge(group, [1, Number(value), 0]);
  }

  merge(group: number, states: readonly unknown[]): void {
    const [count, mean, squares] = states as readonly (number | null)[];
    if (count === null || count === undefined || count === 0) return;
    const before = this.#counts[group] ?? 0;
    const total = before + count;
    const delta = mean! - (this.#means[group] ?? 0);
    this.#counts[group] = total;
    this.#means[group] = (this.#means[group] ?? 0) + (delta * count) / total;
    this.#squares[group] = (this.#squares[group] ?? 0) + squares! + (delta * delta * before * count) / total;
  }

  states(): unknown[][] {
    return [this.#counts, this.#means, this.#squares];
  }

  results(groups: number): arrow.Data {
    const deviations = Array.from({ length: groups }, (_, group) => {
      const count = this.#counts[group] ?? 0;
      return count < 2 ? null : Math.sqrt(this.#squares[group]! / (count - 1));
    });
    return columnFromValues(deviations, this.resultType);
  }
}

function ofLength(values: readonly unknown[], length: number, type: arrow.DataType): arrow.Data {
  return columnFromValues(
    Array.from({ length }, (_, i) => values[i]),
    type,
  );
}

/** Times are in their unit, which columns take as bigints (days as milliseconds). */
function toColumnValues(values: readonly unknown[], type: arrow.DataType): unknown[] {
  const isDay = arrow.DataType.isDate(type) && type.unit === arrow.DateUnit.DAY;
  const isWide = type.ArrayType === BigInt64Array;
  if (isDay)
    return Array.from(values, (value) => (value === undefined ? value : (value as number) * 86_400_000));
  if (!isWide) return Array.from(values);
  return Array.from(values, (value) => (typeof value === 'number' ? BigInt(value) : value));
}
