// groupBy: one pass, a few numbers per group in memory. Where there are more groups than memory has room for, what is
// known of them is sorted on disk, and merged.

import * as arrow from 'apache-arrow';
import { recordBatch, sliceBatch } from '../../../shared/columns/arrowData.ts';
import { concatBatches, columnOf } from '../../../shared/columns/concatBatches.ts';
import { columnFromValues } from '../../../shared/columns/columnFromValues.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { takeRows } from '../../../shared/columns/takeRows.ts';
import { exactValuesOf } from '../../../shared/columns/valuesOf.ts';
import { castColumn, commonType } from '../../../shared/columns/castColumn.ts';
import { requireColumns, TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import type { RunContext } from '../plan/runContext.ts';
import {
  type Accumulator,
  accumulatorOf,
  type Aggregate,
  aggregateName,
  checkAggregates,
} from './aggregates.ts';
import { sort } from './sortRows.ts';
import { identityOf, identityOfAll } from './valueOrder.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

const OUTPUT_GROUPS = 65_536;
/** A group's place in a Map and in the arrays of its aggregates, about. */
const BYTES_OF_GROUP = 120;
const BYTES_OF_STATE = 16;

/**
 * One row a group, sorted by the keys (NaN, then missing ones last), with `kind(column)` columns. Missing values are left
 * out. Keys, min and max keep the column's type; sums of whole numbers are exact, in 64 bits; NaN is the largest number.
 * std is the sample's (ddof 1), missing for fewer than two values.
 * @throws DataArgumentError for aggregates that there are not, TypeMismatchError when sum, mean or std meet what is not a
 * number.
 */
export function groupByOperator(keys: readonly string[], aggregates: readonly Aggregate[]): Operator {
  checkAggregates(keys, aggregates);
  const columns = [...new Set([...keys, ...aggregates.flatMap(({ column }) => column ?? [])])];
  return {
    label: `groupBy ${keys.join(', ')}: ${aggregates.map(aggregateName).join(', ')}`,
    schema: ([input]) => {
      requireColumns(columns, columnNames(input!), 'the dataset');
      const typeOf = (name: string): arrow.DataType =>
        input!.fields.find((field) => field.name === name)!.type;
      const results = aggregates.map((own) => {
        const { resultType } = accumulatorOf(own, own.column === undefined ? undefined : typeOf(own.column));
        return new arrow.Field(aggregateName(own), resultType, true);
      });
      return new arrow.Schema([...keys.map((key) => new arrow.Field(key, typeOf(key), true)), ...results]);
    },
    rowCount: () => undefined,
    // Without any column there would be no rows to count.
    needs: () => (columns.length === 0 ? undefined : columns),
    run: ([input], context) => aggregate(input!, keys, aggregates, context),
  };
}

async function* aggregate(
  input: Batches,
  keys: readonly string[],
  aggregates: readonly Aggregate[],
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const make = (): GroupTable => new GroupTable(keys, aggregates);
  const groups = partialGroups(input, make, context);
  let table = make();
  // A partial result is sorted with the others of its group beside it.
  for await (const batch of sort(groups, keys, 1, context)) {
    table.mergeStates(batch);
    if (table.groups < OUTPUT_GROUPS) continue;
    const open = table.groups - 1;
    yield table.results(open);
    const last = sliceBatch(table.states(), open, open + 1);
    table = make();
    table.mergeStates(last);
  }
  if (table.groups > 0) yield table.results(table.groups);
}

/** The states of all groups, in one batch where memory has room for them. */
async function* partialGroups(
  input: Batches,
  make: () => GroupTable,
  { memoryLimitBytes }: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  let table = make();
  for await (const batch of input) {
    for (let start = 0; start < batch.numRows; start += OUTPUT_GROUPS) {
      table.addRows(
        start === 0 && batch.numRows <= OUTPUT_GROUPS
          ? batch
          : sliceBatch(batch, start, Math.min(batch.numRows, start + OUTPUT_GROUPS)),
      );
      if (table.bytes <= memoryLimitBytes / 2) continue;
      yield table.states();
      table = make();
    }
  }
  if (table.groups > 0) yield table.states();
}

/** Groups by the identity of their keys, in the order in which they come. */
class GroupTable {
  readonly #keys: readonly string[];
  readonly #aggregates: readonly Aggregate[];
  readonly #indexes = new Map<unknown, number>();
  readonly #strings = new DictionaryStrings();
  /** The keys of new groups, batch by batch: they keep their types. */
  readonly #keyRows: arrow.RecordBatch[] = [];
  #accumulators: Accumulator[] = [];
  #types: (arrow.DataType | undefined)[] = [];
  /** About; that of keys and identities included. */
  bytes = 0;

  constructor(keys: readonly string[], aggregates: readonly Aggregate[]) {
    this.#keys = keys;
    this.#aggregates = aggregates;
  }

  get groups(): number {
    return this.#indexes.size;
  }

  addRows(batch: arrow.RecordBatch): void {
    const columns = this.#aggregates.map(({ column }) =>
      column === undefined ? undefined : columnIn(batch, column),
    );
    for (const [a, data] of columns.entries()) this.#prepare(a, data?.type);
    const groups = this.#groupsOf(batch);
    for (const [a, accumulator] of this.#accumulators.entries()) {
      const data = columns[a];
      const values =
        data === undefined ? undefined : exactValuesOf(inUnitOf(data, this.#types[a]!), this.#strings);
      for (let row = 0; row < groups.length; row++) {
        const value = values === undefined ? 1 : values[row];
        if (value !== null && value !== undefined) accumulator.add(groups[row]!, value);
      }
    }
  }

  /** Keys, then states, as `states` gives them. */
  mergeStates(batch: arrow.RecordBatch): void {
    const groups = this.#groupsOf(batch);
    let first = this.#keys.length;
    for (const a of this.#aggregates.keys()) {
      // The state of a minimum, a maximum or a sum of whole numbers has the type of the result.
      this.#prepare(a, batch.data.children[first]!.type);
      const accumulator = this.#accumulators[a]!;
      const states = batch.data.children.slice(first, first + accumulator.stateTypes.length);
      const own = states.map((data) => exactValuesOf(inUnitOf(data, this.#types[a]!), this.#strings));
      first += states.length;
      for (let row = 0; row < groups.length; row++)
        accumulator.merge(
          groups[row]!,
          own.map((column) => column[row]),
        );
    }
  }

  /** A row a group: its keys, and what is known of its aggregates. */
  states(): arrow.RecordBatch {
    const columns = this.#accumulators.flatMap((accumulator) => {
      const states = accumulator.states();
      return accumulator.stateTypes.map((type, s) => this.#column(states[s]!, type));
    });
    // Longer than any key's name, so that it is none of them.
    return this.#withKeys(columns, (index) => `${this.#keys.join('')} state ${index}`);
  }

  /** The first groups as they are told. */
  results(groups: number): arrow.RecordBatch {
    const columns = this.#accumulators.map((accumulator) => accumulator.results(this.groups));
    const batch = this.#withKeys(columns, (index) => aggregateName(this.#aggregates[index]!));
    return sliceBatch(batch, 0, groups);
  }

  /** Batches may differ in width, or have no value at all: then what was kept goes over to the wider type. */
  #prepare(index: number, type: arrow.DataType | undefined): void {
    const aggregate = this.#aggregates[index]!;
    const own = aggregate.column === undefined ? undefined : type;
    const [held, before] = [this.#accumulators[index], this.#types[index]];
    if (held !== undefined && (own === before || (own !== undefined && typeName(own) === typeName(before!))))
      return;
    const common = own === undefined || before === undefined ? own : commonType(before, own);
    if (before !== undefined && common === undefined) {
      throw new TypeMismatchError(
        `Column "${aggregate.column}" holds ${typeName(before)} in some rows and ${typeName(own!)} in others.`,
        { column: aggregate.column! },
      );
    }
    const accumulator = accumulatorOf(aggregate, common);
    const states = held?.states() ?? [];
    for (let group = 0; group < (states[0]?.length ?? 0); group++)
      accumulator.merge(
        group,
        states.map((column) => column[group]),
      );
    this.#accumulators[index] = accumulator;
    this.#types[index] = common;
  }

  #column(values: readonly unknown[], type: arrow.DataType): arrow.Data {
    return columnFromValues(
      Array.from({ length: this.groups }, (_, group) => values[group]),
      type,
    );
  }

  #withKeys(columns: readonly arrow.Data[], nameOf: (index: number) => string): arrow.RecordBatch {
    const keys = concatBatches(this.#keyRows);
    const fields = columns.map((data, index) => new arrow.Field(nameOf(index), data.type, true));
    const schema = new arrow.Schema([...keys.schema.fields, ...fields]);
    return recordBatch(schema, [...keys.data.children, ...columns], this.groups);
  }

  /** The group of each row; new ones are entered. */
  #groupsOf(batch: arrow.RecordBatch): Int32Array {
    const values = this.#keys.map((key) => exactValuesOf(columnIn(batch, key), this.#strings));
    const groups = new Int32Array(batch.numRows);
    const fresh: number[] = [];
    for (let row = 0; row < groups.length; row++) {
      const identity =
        values.length === 1
          ? identityOf(values[0]![row])
          : identityOfAll(values.map((column) => column[row]));
      let group = this.#indexes.get(identity);
      if (group === undefined) {
        group = this.#indexes.size;
        this.#indexes.set(identity, group);
        fresh.push(row);
        this.bytes += BYTES_OF_GROUP + (typeof identity === 'string' ? 2 * identity.length : 0);
      }
      groups[row] = group;
    }
    if (fresh.length > 0) this.#keep(batch, fresh);
    return groups;
  }

  #keep(batch: arrow.RecordBatch, rows: readonly number[]): void {
    const fields = this.#keys.map((key) => new arrow.Field(key, columnIn(batch, key).type, true));
    const columns = this.#keys.map((key) => columnIn(batch, key));
    const keys = recordBatch(new arrow.Schema(fields), columns, batch.numRows);
    this.#keyRows.push(takeRows(keys, Int32Array.from(rows)));
    this.bytes += rows.length * BYTES_OF_STATE * (this.#aggregates.length + this.#keys.length);
  }
}

/** Times as units of the type; numbers are the same in all widths. */
function inUnitOf(data: arrow.Data, type: arrow.DataType): arrow.Data {
  return arrow.DataType.isTimestamp(data.type) ? castColumn(data, type, '') : data;
}

function columnIn(batch: arrow.RecordBatch, name: string): arrow.Data {
  requireColumns([name], columnNames(batch.schema), 'the dataset');
  return columnOf(batch, name);
}
