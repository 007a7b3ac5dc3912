// The dataset of the owner's API: a lazy plan over Arrow record batches. Methods add to the plan; rows flow when
// somebody consumes them, as a stream with back-pressure.

import { tmpdir } from 'node:os';
import type * as arrow from 'apache-arrow';
import type { ColumnBatch } from './columns/columnBatch.ts';
import { DictionaryStrings } from './columns/dictionaryStrings.ts';
import { toColumnBatch } from './columns/toColumnBatch.ts';
import { dropOperator, namesOf, renameOperator, selectOperator } from './operators/columnOperators.ts';
import { execute, type OperatorStats, plannedRowCount, plannedSchema } from './plan/execution.ts';
import { describePlan, type Operator, type PlanNode, type Source } from './plan/planNode.ts';
import { pushColumns } from './plan/pushColumns.ts';
import type { RunContext } from './plan/runContext.ts';

export interface ConsumeOptions {
  readonly signal?: AbortSignal;
}

const DEFAULT_MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

export class Dataset {
  readonly #plan: PlanNode;
  #stats: () => OperatorStats[] = () => [];

  /** Datasets come from the read and from functions (readParquet, fromItems, …). */
  private constructor(plan: PlanNode) {
    this.#plan = plan;
  }

  static fromSource(source: Source): Dataset {
    return new Dataset({ kind: 'source', source });
  }

  selectColumns(columns: readonly string[]): Dataset {
    return this.#then(selectOperator(columns));
  }

  dropColumns(columns: readonly string[]): Dataset {
    return this.#then(dropOperator(columns));
  }

  /** @param names new names by old ones. */
  renameColumns(names: Readonly<Record<string, string>>): Dataset {
    return this.#then(renameOperator(new Map(Object.entries(names))));
  }

  /** Column names and Arrow types. Reads the first rows only where functions decide the columns. */
  async schema(options: ConsumeOptions = {}): Promise<arrow.Schema> {
    const planned = await plannedSchema(this.#plan, contextOf(options));
    if (planned !== undefined) return planned;
    for await (const batch of this.iterArrow(options)) return batch.schema;
    const { Schema } = await import('apache-arrow');
    return new Schema([]);
  }

  async columns(options: ConsumeOptions = {}): Promise<string[]> {
    return namesOf(await this.schema(options));
  }

  /** Number of rows; from file footers where that is enough. */
  async count(options: ConsumeOptions = {}): Promise<number> {
    const planned = await plannedRowCount(this.#plan, contextOf(options));
    if (planned !== undefined) return planned;
    let rows = 0;
    for await (const batch of this.iterArrow(options)) rows += batch.numRows;
    return rows;
  }

  /** Arrow record batches as they come out of the plan. Stopping early stops all reading. */
  iterArrow(options: ConsumeOptions = {}): AsyncGenerator<arrow.RecordBatch> {
    return this.#run(this.#plan, options);
  }

  /**
   * The named columns as typed arrays, batch by batch (see {@link ColumnBatch}); the trainers' way in.
   * Only these columns are read from files that allow it.
   * @throws UnknownColumnError, TypeMismatchError for columns that are neither numbers nor strings.
   */
  async *streamColumns(
    columns: readonly string[],
    options: ConsumeOptions = {},
  ): AsyncGenerator<ColumnBatch> {
    const plan: PlanNode = { kind: 'operator', operator: selectOperator(columns), inputs: [this.#plan] };
    const strings = new DictionaryStrings();
    let firstRow = 0;
    for await (const batch of this.#run(plan, options)) {
      yield toColumnBatch(batch, firstRow, strings);
      firstRow += batch.numRows;
    }
  }

  /** The plan as text, as it would be executed. */
  explain(): string {
    return describePlan(pushColumns(this.#plan));
  }

  /** Per operator, sources first: rows, batches and own time of the last execution. Empty before the first. */
  stats(): OperatorStats[] {
    return this.#stats();
  }

  #then(operator: Operator): Dataset {
    return new Dataset({ kind: 'operator', operator, inputs: [this.#plan] });
  }

  async *#run(plan: PlanNode, options: ConsumeOptions): AsyncGenerator<arrow.RecordBatch> {
    const execution = execute(pushColumns(plan), contextOf(options));
    this.#stats = execution.stats;
    yield* execution.batches;
  }
}

function contextOf({ signal }: ConsumeOptions): RunContext {
  return { signal, memoryLimitBytes: DEFAULT_MEMORY_LIMIT_BYTES, tempFolder: tmpdir() };
}
