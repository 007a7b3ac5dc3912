// mapBatches: a user's function or class over batches of rows, several at a time, order kept.

import type * as arrow from 'apache-arrow';
import { TabgradError } from '../../../shared/errors.ts';
import {
  batchFrom,
  type BatchFormat,
  type Columns,
  columnsOf,
  type Origins,
} from '../../../shared/columns/batchFormats.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { type Row, rowsOf } from '../../../shared/columns/valuesOf.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { DataArgumentError } from '../errors.ts';
import { UserFunctionError } from '../../../shared/columns/columnErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import { orderedMap } from './orderedMap.ts';
import { rebatch } from './rebatch.ts';

export interface BatchInput {
  readonly columns: Columns;
  readonly arrow: arrow.RecordBatch;
  readonly rows: Row[];
}
type BatchResult = Columns | arrow.RecordBatch | arrow.Table | readonly Row[];
export type BatchFunction<F extends BatchFormat> = (
  batch: BatchInput[F],
) => BatchResult | Promise<BatchResult>;

/** An object that is made once and called for many batches: a model that is loaded once, say. */
interface BatchMapper<F extends BatchFormat> {
  call(batch: BatchInput[F]): BatchResult | Promise<BatchResult>;
  /** Called when the stream ends, however it ends. */
  close?(): void | Promise<void>;
}
export type BatchMapperClass<F extends BatchFormat, A extends readonly unknown[]> = new (
  ...args: A
) => BatchMapper<F>;

export interface MapBatchesOptions<F extends BatchFormat, A extends readonly unknown[]> {
  /** Rows of a batch; as they come (65,536 at most from files) when left out. */
  readonly batchSize?: number;
  /** Calls in flight, each on an object of its own for classes; [min, max] makes objects as they are needed. */
  readonly concurrency?: number | readonly [min: number, max: number];
  readonly fnConstructorArgs?: A;
  /** What the function takes; "columns" when left out. It may return any form. */
  readonly batchFormat?: F;
}

export function mapBatchesOperator<F extends BatchFormat, A extends readonly unknown[]>(
  mapper: BatchFunction<F> | BatchMapperClass<F, A>,
  options: MapBatchesOptions<F, A>,
): Operator {
  const { batchSize, concurrency = 1 } = options;
  const [min, max] = typeof concurrency === 'number' ? [concurrency, concurrency] : concurrency;
  if (batchSize !== undefined) requireWhole(batchSize, 'batchSize');
  requireWhole(min, 'concurrency');
  requireWhole(max, 'concurrency');
  if (max < min)
    throw new DataArgumentError(`concurrency [${min}, ${max}] has a maximum below its minimum.`, {
      field: 'concurrency',
    });
  const format: BatchFormat = options.batchFormat ?? 'columns';
  const name = mapper.name === '' ? 'function' : mapper.name;
  const label = `mapBatches ${name}`;
  return {
    label,
    schema: () => undefined,
    rowCount: () => undefined,
    needs: () => undefined,
    run: ([input], context) => {
      const batches = batchSize === undefined ? input! : rebatch(input!, batchSize);
      const make = isClass(mapper)
        ? () => construct(mapper as BatchMapperClass<F, A>, options.fnConstructorArgs, label)
        : () => ({ call: mapper as BatchFunction<F> });
      return run(batches, make, { min, max, format, label }, context);
    },
  };
}

export function requireWhole(value: number, field: string, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new DataArgumentError(
      `${field} is ${String(value)}; a whole number of at least ${least} is expected.`,
      { field },
    );
  }
}

function isClass(mapper: unknown): boolean {
  return typeof mapper === 'function' && /^class\b/.test(Function.prototype.toString.call(mapper));
}

function construct<F extends BatchFormat, A extends readonly unknown[]>(
  mapper: BatchMapperClass<F, A>,
  args: A | undefined,
  label: string,
): BatchMapper<F> {
  try {
    return new mapper(...((args ?? []) as unknown as A));
  } catch (error) {
    throw new UserFunctionError(
      `The constructor of ${label} threw: ${messageOf(error)}`,
      {},
      { cause: error },
    );
  }
}

interface Settings {
  readonly min: number;
  readonly max: number;
  readonly format: BatchFormat;
  readonly label: string;
}

async function* run(
  input: Batches,
  make: () => BatchMapper<BatchFormat>,
  { min, max, format, label }: Settings,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const all: BatchMapper<BatchFormat>[] = [];
  const create = (): BatchMapper<BatchFormat> => {
    const mapper = make();
    all.push(mapper);
    return mapper;
  };
  const strings = new DictionaryStrings();
  let firstRow = 0;
  try {
    const idle = Array.from({ length: min }, create);
    yield* orderedMap(input, max, async (batch, index) => {
      const rows = { first: firstRow, last: firstRow + batch.numRows - 1 };
      firstRow += batch.numRows;
      // No more than `max` calls are in flight, so a mapper is idle or may still be made.
      const mapper = idle.pop() ?? create();
      try {
        return await callOn(mapper, batch, format, label, strings);
      } catch (error) {
        throwIfAborted(context);
        const where = `batch ${index} (rows ${rows.first} to ${rows.last})`;
        if (error instanceof TabgradError && !(error instanceof UserFunctionError)) throw error;
        throw new UserFunctionError(
          `${label} failed on ${where}: ${messageOf(error)}`,
          { row: rows.first },
          { cause: error },
        );
      } finally {
        idle.push(mapper);
      }
    });
  } finally {
    for (const mapper of all) await mapper.close?.();
  }
}

async function callOn(
  mapper: BatchMapper<BatchFormat>,
  batch: arrow.RecordBatch,
  format: BatchFormat,
  label: string,
  strings: DictionaryStrings,
): Promise<arrow.RecordBatch> {
  let given: BatchInput[BatchFormat] = batch;
  let origins: Origins = new Map();
  if (format === 'columns') {
    const made = columnsOf(batch, strings);
    given = made.columns;
    origins = made.origins;
  } else if (format === 'rows') {
    given = rowsOf(batch, strings);
  }
  return batchFrom(await mapper.call(given as never), origins, label);
}
