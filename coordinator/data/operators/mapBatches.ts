// mapBatches: a user's function or class over batches of rows, several at a time, order kept.

import type * as arrow from 'apache-arrow';
import { TabgradError } from '../../../kernels/errors.ts';
import type { BatchFormat, Columns } from '../../../shared/columns/batchFormats.ts';
import { callOnBatch, type BatchInput } from '../../../shared/columns/callOnBatch.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import type { Row } from '../../../shared/columns/valuesOf.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { DataArgumentError } from '../plan/dataErrors.ts';
import { UserFunctionError } from '../../../shared/columns/columnErrors.ts';
import type { ModuleExport } from '../../program/bundleModule.ts';
import type { CodeTarget } from '../../program/programCode.ts';
import type { ScalingConfig } from '../../options/runOptions.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { type RunContext, throwIfAborted } from '../plan/runContext.ts';
import type { PoolStatus } from './poolStatus.ts';
import { builtinProgramOf } from '../../program/builtinProgram.ts';
import { orderedMap } from './orderedMap.ts';
import { rebatch } from './rebatch.ts';

type BatchResult = Columns | arrow.RecordBatch | arrow.Table | readonly Row[];
/** One batch, or as a generator several, which are joined. */
type BatchResults = BatchResult | Promise<BatchResult> | Generator<BatchResult> | AsyncGenerator<BatchResult>;
type BatchFunction<F extends BatchFormat> = (batch: BatchInput[F]) => BatchResults;

/** An object that is made once and called for many batches: a model that is loaded once, say. */
interface BatchMapper<F extends BatchFormat> {
  call(batch: BatchInput[F]): BatchResults;
  /** Waited for before the first call. */
  init?(): void | Promise<void>;
  /**
   * Called when the stream ends, however it ends. On a worker it has ten seconds, and is not called where the worker was
   * lost or the stream called off by its signal.
   */
  close?(): void | Promise<void>;
}
type BatchMapperClass<F extends BatchFormat, A extends readonly unknown[]> = new (
  ...args: A
) => BatchMapper<F>;

/** How `mapBatches` cuts rows into batches, and where and how many at a time its function runs. */
export interface MapBatchesOptions<F extends BatchFormat, A extends readonly unknown[]> {
  /** Rows of a batch; as they come (65,536 at most from files) when left out. */
  readonly batchSize?: number;
  /**
   * Calls in flight, each on an object of its own for classes; [min, max] makes objects as they are needed. On a pool:
   * copies of the program; as many as numWorkers when left out.
   */
  readonly concurrency?: number | readonly [min: number, max: number];
  /** Arguments of the class. Default none. */
  readonly fnConstructorArgs?: A;
  /** What the function takes; "columns" when left out. It may return any form. */
  readonly batchFormat?: F;
  /**
   * Run it on workers, as a trainer does: those of the coordinator at `url` (or TABGRAD_URL), or `numWorkers` local ones
   * that are started for it. Without it, in this process.
   */
  readonly scalingConfig?: ScalingConfig;
  /** On a pool: seconds that a batch may take; then the error names the worker. Default 600. */
  readonly batchTimeoutS?: number;
  /**
   * On a pool: whether the function makes the same of a batch on every worker, to the bit, so that what strangers answer can be
   * compared (tabgrad's predictors are anyway). Functions of random numbers, of clocks, or of `Math.sin`, whose last bit
   * engines do not agree on, are not. Default false.
   */
  readonly deterministic?: boolean;
  /** On a pool: told whenever workers come and go, or a batch is mapped. */
  readonly onStatus?: (status: PoolStatus) => void;
}

export type BatchMapping<F extends BatchFormat, A extends readonly unknown[]> =
  | BatchFunction<F>
  | BatchMapperClass<F, A>
  /** A function or class that a module exports: bundled with its imports, for workers. */
  | ModuleExport;

const BATCH_TIMEOUT_S = 600;
/** What setTimeout can wait. */
const MAX_TIMEOUT_S = 2_000_000;

export function mapBatchesOperator<F extends BatchFormat, A extends readonly unknown[]>(
  mapper: BatchMapping<F, A>,
  options: MapBatchesOptions<F, A>,
): Operator {
  const { batchSize, scalingConfig, batchTimeoutS = BATCH_TIMEOUT_S } = options;
  const { concurrency = scalingConfig?.numWorkers ?? 1 } = options;
  if (typeof mapper !== 'function' && !isModuleExport(mapper)) {
    throw new DataArgumentError('mapBatches takes a function, a class, or { module, export }.');
  }
  const [min, max] = typeof concurrency === 'number' ? [concurrency, concurrency] : concurrency;
  if (batchSize !== undefined) requireWhole(batchSize, 'batchSize');
  requireWhole(min, 'concurrency');
  requireWhole(max, 'concurrency');
  if (max < min)
    throw new DataArgumentError(`concurrency [${min}, ${max}] has a maximum below its minimum.`, {
      field: 'concurrency',
    });
  if (!(batchTimeoutS > 0 && batchTimeoutS <= MAX_TIMEOUT_S)) {
    throw new DataArgumentError(
      `batchTimeoutS is ${String(batchTimeoutS)}; expected more than 0 and at most ${MAX_TIMEOUT_S} seconds.`,
      { field: 'batchTimeoutS' },
    );
  }
  if (options.deterministic !== undefined) checkDeterministic(mapper, options);
  const format: BatchFormat = options.batchFormat ?? 'columns';
  const name = typeof mapper === 'function' ? mapper.name : mapper.export;
  const label = `mapBatches ${name === '' ? 'function' : name}`;
  return {
    label,
    schema: () => undefined,
    rowCount: () => undefined,
    needs: () => undefined,
    run: ([input], context) => {
      const batches = batchSize === undefined ? input! : rebatch(input!, batchSize);
      if (typeof mapper !== 'function' || scalingConfig !== undefined) {
        const deadlineMs = batchTimeoutS * 1000;
        return onPool(batches, mapper, { min, max, format, label, deadlineMs }, options, context);
      }
      const make = isClass(mapper)
        ? () => construct(mapper as BatchMapperClass<F, A>, options.fnConstructorArgs, label)
        : () => Promise.resolve({ call: mapper as BatchFunction<F> });
      return run(batches, make, { min, max, format, label }, context);
    },
  };
}

function checkDeterministic(
  mapper: unknown,
  {
    scalingConfig,
    deterministic,
  }: Pick<MapBatchesOptions<BatchFormat, readonly unknown[]>, 'deterministic' | 'scalingConfig'>,
): void {
  const refuse = (why: string): never => {
    throw new DataArgumentError(`deterministic ${why}.`, { field: 'deterministic' });
  };
  if (typeof deterministic !== 'boolean') refuse(`is ${String(deterministic)}; expected true or false`);
  if (builtinProgramOf(mapper))
    refuse("has no effect on tabgrad's own predictors, which are compared anyway");
  if (typeof mapper === 'function' && scalingConfig === undefined)
    refuse('has no effect in this process; it is for functions on workers (scalingConfig)');
}

export function requireWhole(value: number, field: string, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new DataArgumentError(
      `${field} is ${String(value)}; a whole number of at least ${least} is expected.`,
      { field },
    );
  }
}

/** Loaded when it is needed: most datasets need no server. */
async function* onPool<F extends BatchFormat, A extends readonly unknown[]>(
  batches: Batches,
  mapper: BatchMapping<F, A>,
  settings: Settings & { readonly deadlineMs: number },
  options: MapBatchesOptions<F, A>,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const { scalingConfig: scaling = {}, fnConstructorArgs = [] as unknown as A, onStatus } = options;
  const { deterministic: isDeterministic = false } = options;
  const { mapBatchesOnPool } = await import('./mapBatchesOnPool.ts');
  const { programOf } = await import('../../program/programCode.ts');
  const program = (): ReturnType<typeof programOf> =>
    programOf(mapper as CodeTarget, fnConstructorArgs, { form: 'batches', what: 'mapBatches' });
  yield* mapBatchesOnPool(batches, { ...settings, program, scaling, onStatus, isDeterministic }, context);
}

function isModuleExport(value: unknown): value is ModuleExport {
  if (typeof value !== 'object' || value === null) return false;
  const { module, export: name } = value as Partial<ModuleExport>;
  return (typeof module === 'string' || module instanceof URL) && typeof name === 'string';
}

function isClass(mapper: unknown): boolean {
  return typeof mapper === 'function' && /^class\b/.test(Function.prototype.toString.call(mapper));
}

async function construct<F extends BatchFormat, A extends readonly unknown[]>(
  mapper: BatchMapperClass<F, A>,
  args: A | undefined,
  label: string,
): Promise<BatchMapper<F>> {
  let made: BatchMapper<F> | undefined;
  try {
    made = new mapper(...((args ?? []) as unknown as A));
    await made.init?.();
    return made;
  } catch (error) {
    throw new UserFunctionError(
      `${made === undefined ? 'The constructor' : 'init()'} of ${label} threw: ${messageOf(error)}`,
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
  make: () => Promise<BatchMapper<BatchFormat>>,
  { min, max, format, label }: Settings,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const all: BatchMapper<BatchFormat>[] = [];
  const create = async (): Promise<BatchMapper<BatchFormat>> => {
    const mapper = await make();
    all.push(mapper);
    return mapper;
  };
  const strings = new DictionaryStrings();
  let firstRow = 0;
  try {
    const made = await Promise.allSettled(Array.from({ length: min }, create));
    const failed = made.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    const idle = [...all];
    yield* orderedMap(input, max, async (batch, index) => {
      const rows = { first: firstRow, last: firstRow + batch.numRows - 1 };
      firstRow += batch.numRows;
      // No more than `max` calls are in flight, so a mapper is idle or may still be made.
      const mapper = idle.pop() ?? (await create());
      try {
        return await callOnBatch((given) => mapper.call(given as never), batch, { format, label, strings });
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
