// The lazy plan of a dataset: a tree of sources and operators, made without touching any data and shown as text.

import type { RecordBatch, Schema } from 'apache-arrow';
import type { RunContext } from './runContext.ts';

export type Batches = AsyncIterable<RecordBatch>;

/** What a source is asked for. */
export interface ReadRequest {
  /** Columns to read, in this order; undefined for all. */
  readonly columns: readonly string[] | undefined;
}

/** Where rows come from. */
export interface Source {
  /** One line for plans and stats, e.g. `parquet flights.parquet (1 file)`. */
  readonly label: string;
  schema(context: RunContext): Promise<Schema>;
  /** Number of rows when it is known without reading them. */
  rowCount(context: RunContext): Promise<number | undefined>;
  read(request: ReadRequest, context: RunContext): Batches;
}

/** What happens to rows. Operators are values: running one twice gives two independent streams. */
export interface Operator {
  /** One line for plans and stats, e.g. `filter` or `limit 10`. */
  readonly label: string;
  /** The schema after it, when that follows from the schemas before it; undefined when rows have to be seen. */
  schema(inputs: readonly Schema[]): Schema | undefined;
  /** Rows after it, when that follows from the numbers before it. */
  rowCount(inputs: readonly number[]): number | undefined;
  /** Columns that it needs of its inputs to give `wanted` (undefined: all it has); undefined for all of theirs. */
  needs(wanted: readonly string[] | undefined): readonly string[] | undefined;
  /** The same operator for a consumer that uses no more than `wanted`; absent when nothing would change. */
  narrow?(wanted: readonly string[]): Operator;
  run(inputs: readonly Batches[], context: RunContext): Batches;
}

export type PlanNode =
  | { readonly kind: 'source'; readonly source: Source; readonly columns?: readonly string[] }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly inputs: readonly PlanNode[] };

/** The plan as an indented list, last operator first. */
export function describePlan(node: PlanNode, depth = 0): string {
  const indent = '  '.repeat(depth);
  if (node.kind === 'source') {
    const columns = node.columns === undefined ? '' : ` [${node.columns.join(', ')}]`;
    return `${indent}read ${node.source.label}${columns}`;
  }
  return [indent + node.operator.label, ...node.inputs.map((input) => describePlan(input, depth + 1))].join(
    '\n',
  );
}
