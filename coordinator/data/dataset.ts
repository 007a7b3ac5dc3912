// The dataset of the owner's API: a lazy plan over Arrow record batches. Methods add to the plan; rows flow when
// somebody consumes them, as a stream with back-pressure.

import * as arrow from 'apache-arrow';
import { type BatchFormat, type Columns, columnsOf } from '../../shared/columns/batchFormats.ts';
import type { BatchInput } from '../../shared/columns/callOnBatch.ts';
import type { ColumnBatch } from '../../shared/columns/columnBatch.ts';
import { concatBatches, emptyBatch } from '../../shared/columns/concatBatches.ts';
import { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';
import { formatRows } from '../../shared/columns/formatRows.ts';
import { memberOf } from '../../shared/memberOf.ts';
import { toColumnBatch } from '../../shared/columns/toColumnBatch.ts';
import { type Row, rowsOf } from '../../shared/columns/valuesOf.ts';
import { type ConsumeOptions, contextOf } from './consumeOptions.ts';
import { DataArgumentError } from './plan/dataErrors.ts';
import { Grouped } from './grouped.ts';
import { dropOperator, renameOperator, selectOperator } from './operators/columnOperators.ts';
import { gather } from './operators/gathered.ts';
import { groupByOperator } from './operators/groupBy.ts';
import {
  type BatchMapping,
  mapBatchesOperator,
  type MapBatchesOptions,
  requireWhole,
} from './operators/mapBatches.ts';
import { memberOperator, memberRule } from './operators/randomMembers.ts';
import { randomShuffleOperator } from './operators/randomShuffle.ts';
import {
  limitOperator,
  rangeOperator,
  repartitionOperator,
  zipOperator,
} from './operators/rangeOperators.ts';
import { rebatch } from './operators/rebatch.ts';
import {
  addColumnOperator,
  filterOperator,
  flatMapOperator,
  mapOperator,
  type RowFunction,
} from './operators/rowOperators.ts';
import { sortOperator } from './operators/sortRows.ts';
import { unionOperator } from './operators/union.ts';
import { checkTestSize, partRange, testRows } from './operators/splits.ts';
import { execute, type OperatorStats, plannedRowCount, plannedSchema } from './plan/execution.ts';
import { describePlan, type Operator, type PlanNode, type Source } from './plan/planNode.ts';
import { pushColumns } from './plan/pushColumns.ts';
import type { RunContext } from './plan/runContext.ts';
import { parquetFormat } from './sink/parquetFormat.ts';
import { csvFormat, jsonFormat } from './sink/textFormats.ts';
import { type PartFormat, writeFolder, type WriteOptions } from './sink/writeFolder.ts';
import { GatheredSource } from './source/gatheredSource.ts';
import { type DatasetShare, shareStream } from './streamingSplit.ts';
import { columnNames } from '../../shared/columns/columnNames.ts';

/** How `iterBatches` cuts rows into batches, and the form of each. */
export interface IterBatchesOptions<F extends BatchFormat> extends ConsumeOptions {
  /** Rows of a batch; as they come when left out. */
  readonly batchSize?: number;
  /** "columns" (default): an object of arrays; "rows": a list of objects; "arrow": an Arrow record batch. */
  readonly batchFormat?: F;
}

/** How `trainTestSplit` chooses the test rows. */
export interface SplitOptions {
  /** Choose the test rows at random; else they are the last ones. */
  readonly shuffle?: boolean;
  /** Decides which; a random one when left out. */
  readonly seed?: number;
}

/**
 * A lazy plan over batches of rows. Methods that give a Dataset add to the plan and read nothing; those that give a Promise or
 * an async generator run it, as a stream. What is wrong with files and columns is thrown there: DATA_… codes, each with the
 * file, row or column.
 */
export class Dataset {
  readonly #plan: PlanNode;
  #stats: () => OperatorStats[] = () => [];
  #rows: Promise<number> | undefined;

  /** Datasets come from the read and from functions (readParquet, fromItems, …). */
  private constructor(plan: PlanNode) {
    this.#plan = plan;
  }

  /** A dataset of batches that `source` reads. Functions such as readParquet and fromItems call it. */
  static fromSource(source: Source): Dataset {
    return new Dataset({ kind: 'source', source });
  }

  /** These columns alone, in this order. @throws UnknownColumnError while streaming. */
  selectColumns(columns: readonly string[]): Dataset {
    return this.#then(selectOperator(columns));
  }

  /** All columns but these. @throws UnknownColumnError while streaming. */
  dropColumns(columns: readonly string[]): Dataset {
    return this.#then(dropOperator(columns));
  }

  /** @param names new names by old ones. */
  renameColumns(names: Readonly<Record<string, string>>): Dataset {
    return this.#then(renameOperator(new Map(Object.entries(names))));
  }

  /** Adds or replaces a column: `make` takes a batch as an object of arrays and gives one value a row. */
  addColumn(name: string, make: (columns: Columns) => ArrayLike<unknown>): Dataset {
    return this.#then(addColumnOperator(name, make));
  }

  /** One row for each row. `change` gets a row as an object. @throws UserFunctionError while streaming, when it throws. */
  map(change: RowFunction<Row>): Dataset {
    return this.#then(mapOperator(change));
  }

  /** The rows for which `keep` is true. @throws UserFunctionError while streaming, when it throws. */
  filter(keep: RowFunction<boolean>): Dataset {
    return this.#then(filterOperator(keep));
  }

  /** Any number of rows for each row. @throws UserFunctionError while streaming, when `change` throws. */
  flatMap(change: RowFunction<readonly Row[]>): Dataset {
    return this.#then(flatMapOperator(change));
  }

  /**
   * Batches through a function, or through objects of a class, several at a time; order is kept. In this process, or with
   * `scalingConfig` on workers of a pool. There each row is mapped exactly once as far as the result shows; a batch whose
   * worker vanishes is given to another, so that a function with effects elsewhere may have them twice.
   */
  mapBatches<F extends BatchFormat = 'columns', A extends readonly unknown[] = readonly unknown[]>(
    mapper: BatchMapping<F, A>,
    options: MapBatchesOptions<F, A> = {},
  ): Dataset {
    return this.#then(mapBatchesOperator(mapper, options));
  }

  /** The first rows: reading ends with them. @throws DataArgumentError unless `rows` is a whole number from 0. */
  limit(rows: number): Dataset {
    requireWhole(rows, 'limit', 0);
    return this.#then(limitOperator(rows));
  }

  /**
   * The rows of this one, then those of the others. They must have the same columns; numbers of different widths become
   * the wider one's. @throws TypeMismatchError while streaming.
   */
  union(...others: readonly Dataset[]): Dataset {
    const plans = [this, ...others].map((dataset) => dataset.#plan);
    const planned = (context: RunContext): Promise<(arrow.Schema | undefined)[]> =>
      Promise.all(plans.map((plan) => plannedSchema(plan, context)));
    return this.#with(unionOperator(planned), others);
  }

  /** Columns side by side. @throws TypeMismatchError while streaming or counting, when row counts differ. */
  zip(other: Dataset): Dataset {
    return this.#with(zipOperator(), [other]);
  }

  /** Ascending unless told otherwise; missing values last; stable. Beyond the memory limit it merges sorted files. */
  sort(
    key: string | readonly string[],
    { descending = false }: { readonly descending?: boolean } = {},
  ): Dataset {
    return this.#then(sortOperator(typeof key === 'string' ? [key] : key, descending));
  }

  /** Rows in groups of equal keys, in the order of the keys; its methods say what is computed of each group. */
  groupBy(key: string | readonly string[]): Grouped<Dataset> {
    return new Grouped(typeof key === 'string' ? [key] : key, (operator) => this.#then(operator));
  }

  /** A uniformly random order that depends on the seed and the number of rows alone, not on how rows are batched. */
  randomShuffle(seed: number = randomSeed()): Dataset {
    return this.#then(randomShuffleOperator(seed));
  }

  /** Cuts the rows to `blocks` batches of (nearly) equal size. */
  repartition(blocks: number): Dataset {
    requireWhole(blocks, 'blocks');
    return this.#then(
      repartitionOperator(async () => Math.ceil((await this.#countOnce()) / blocks), `repartition ${blocks}`),
    );
  }

  /**
   * Train and test rows. A `testSize` below 1 is a fraction (floor(rows · (1 − testSize)) rows train), else a number of
   * rows. With `shuffle` exactly so many rows are drawn by a hash of seed and row index; rows keep their order in
   * both parts, so shuffle a part where order matters. Counts rows first when files don't tell their number.
   */
  trainTestSplit(
    testSize: number,
    { shuffle = false, seed = randomSeed() }: SplitOptions = {},
  ): [Dataset, Dataset] {
    checkTestSize(testSize);
    if (!shuffle) {
      const cut = async (): Promise<[rows: number, train: number]> => {
        const rows = await this.#countOnce();
        return [rows, rows - testRows(rows, testSize)];
      };
      return [
        this.#then(rangeOperator(`train split (all but ${testSize})`, async () => [0, (await cut())[1]])),
        this.#then(
          rangeOperator(`test split (last ${testSize})`, async () => [(await cut())[1], (await cut())[0]]),
        ),
      ];
    }
    let known: Promise<ReturnType<typeof memberRule>> | undefined;
    const rule = (): Promise<ReturnType<typeof memberRule>> =>
      (known ??= this.#countOnce().then((rows) => memberRule(seed, testRows(rows, testSize), rows)));
    return [
      this.#then(memberOperator(`train split (all but ${testSize}, seed ${seed})`, rule, false)),
      this.#then(memberOperator(`test split (${testSize}, seed ${seed})`, rule, true)),
    ];
  }

  /** `count` datasets of consecutive rows whose sizes differ by at most one. */
  split(count: number): Dataset[] {
    requireWhole(count, 'count');
    return Array.from({ length: count }, (_, index) =>
      this.#then(
        rangeOperator(`split ${index + 1} of ${count}`, async () =>
          partRange(await this.#countOnce(), index, count),
        ),
      ),
    );
  }

  /** `count` consumers of one common execution: together they see each row once, each at its own pace. */
  streamingSplit(count: number, options: ConsumeOptions = {}): DatasetShare[] {
    requireWhole(count, 'count');
    return shareStream(count, () => this.iterArrow(options));
  }

  /** Column names and Arrow types. Reads the first rows only where functions decide the columns. */
  async schema(options: ConsumeOptions = {}): Promise<arrow.Schema> {
    const planned = await plannedSchema(this.#plan, contextOf(options));
    if (planned !== undefined) return planned;
    for await (const batch of this.iterArrow(options)) return batch.schema;
    return new arrow.Schema([]);
  }

  /** Names of the columns. Reads the first rows only where functions decide them. */
  async columns(options: ConsumeOptions = {}): Promise<string[]> {
    return columnNames(await this.schema(options));
  }

  /** Number of rows; from file footers where that is enough. */
  async count(options: ConsumeOptions = {}): Promise<number> {
    const planned = await plannedRowCount(this.#plan, contextOf(options));
    if (planned !== undefined) return planned;
    let rows = 0;
    for await (const batch of this.iterArrow(options)) rows += batch.numRows;
    return rows;
  }

  /** The first rows as objects. */
  async take(rows = 20, options: ConsumeOptions = {}): Promise<Row[]> {
    const out: Row[] = [];
    for await (const row of this.limit(rows).iterRows(options)) out.push(row);
    return out;
  }

  /** The first rows as an object of arrays. */
  async takeBatch(rows = 20, options: ConsumeOptions = {}): Promise<Columns> {
    const batches: arrow.RecordBatch[] = [];
    for await (const batch of this.limit(rows).iterArrow(options)) batches.push(batch);
    // Without rows the columns are told by the plan.
    const batch = batches.length > 0 ? concatBatches(batches) : emptyBatch(await this.schema(options));
    return columnsOf(batch, new DictionaryStrings()).columns;
  }

  /** All rows; an error rather than a full memory when there are more than `limit`. */
  async takeAll(limit = 1_000_000, options: ConsumeOptions = {}): Promise<Row[]> {
    const rows = await this.take(limit + 1, options);
    if (rows.length > limit) {
      throw new DataArgumentError(
        `The dataset has more than ${limit} rows; iterate over it, or raise the limit.`,
        {
          field: 'limit',
        },
      );
    }
    return rows;
  }

  /** The different values of a column, sorted, a missing one last. */
  async unique(column: string, options: ConsumeOptions = {}): Promise<unknown[]> {
    const groups = this.#then(groupByOperator([column], []));
    return (await groups.takeAll(Number.MAX_SAFE_INTEGER - 1, options)).map((row) => memberOf(row, column));
  }

  /** Prints the first rows as a table. */
  async show(rows = 20, print: (text: string) => void = console.log): Promise<void> {
    print(formatRows(await this.columns(), await this.take(rows)));
  }

  /** Arrow record batches as they come out of the plan. Stopping early stops all reading. */
  iterArrow(options: ConsumeOptions = {}): AsyncGenerator<arrow.RecordBatch> {
    return this.#run(this.#plan, options);
  }

  /** Batches of rows, in order. Stopping early stops all reading. @throws DataArgumentError for a batchSize that is not a whole number from 1. */
  async *iterBatches<F extends BatchFormat = 'columns'>(
    options: IterBatchesOptions<F> = {},
  ): AsyncGenerator<BatchInput[F]> {
    const { batchSize, batchFormat = 'columns' } = options;
    if (batchSize !== undefined) requireWhole(batchSize, 'batchSize');
    const strings = new DictionaryStrings();
    const batches = this.iterArrow(options);
    for await (const batch of batchSize === undefined ? batches : rebatch(batches, batchSize)) {
      const forms = {
        arrow: () => batch,
        rows: () => rowsOf(batch, strings),
        columns: () => columnsOf(batch, strings).columns,
      };
      yield forms[batchFormat]() as BatchInput[F];
    }
  }

  /** Rows as objects, one after another. Stopping early stops all reading. */
  async *iterRows(options: ConsumeOptions = {}): AsyncGenerator<Row> {
    const strings = new DictionaryStrings();
    for await (const batch of this.iterArrow(options)) yield* rowsOf(batch, strings);
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

  /** Computes the rows once and keeps them: in memory, or in a temporary file beyond the memory limit. */
  async materialize(options: ConsumeOptions = {}): Promise<Dataset> {
    return Dataset.fromSource(
      new GatheredSource(
        await gather(this.iterArrow(options), contextOf(options)),
        await plannedSchema(this.#plan, contextOf(options)),
      ),
    );
  }

  /** A folder of Snappy-compressed Parquet files. @returns their paths. See {@link writeFolder} for failures. */
  writeParquet(folder: string, options: WriteOptions = {}): Promise<string[]> {
    return this.#write(folder, parquetFormat, options);
  }

  /** A folder of CSV files with a header line. @returns their paths. See {@link writeFolder} for failures. */
  writeCsv(folder: string, options: WriteOptions = {}): Promise<string[]> {
    return this.#write(folder, csvFormat, options);
  }

  /** JSON lines. */
  writeJson(folder: string, options: WriteOptions = {}): Promise<string[]> {
    return this.#write(folder, jsonFormat, options);
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
    return this.#with(operator, []);
  }

  #with(operator: Operator, others: readonly Dataset[]): Dataset {
    return new Dataset({
      kind: 'operator',
      operator,
      inputs: [this.#plan, ...others.map((other) => other.#plan)],
    });
  }

  #write(folder: string, format: PartFormat, options: WriteOptions): Promise<string[]> {
    return writeFolder(folder, format, this.iterArrow(options), options);
  }

  #countOnce(): Promise<number> {
    this.#rows ??= this.count();
    return this.#rows;
  }

  async *#run(plan: PlanNode, options: ConsumeOptions): AsyncGenerator<arrow.RecordBatch> {
    const context = contextOf(options);
    // A column that is not there is found before rows are computed, even where no operator reads it.
    await plannedSchema(plan, context);
    const execution = execute(pushColumns(plan), context);
    this.#stats = () => execution.stats();
    yield* execution.batches;
  }
}

function randomSeed(): number {
  return Math.floor(Math.random() * 0x7fff_ffff);
}
