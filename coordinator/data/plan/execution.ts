// Runs a plan as a chain of pulled streams: nothing happens until a batch is asked for, and no more than asked for
// (and a bounded read-ahead) is ever in memory.

import type { RecordBatch, Schema } from 'apache-arrow';
import type { Batches, PlanNode } from './planNode.ts';
import { type RunContext, throwIfAborted } from './runContext.ts';

/** What one operator did in one execution. */
export interface OperatorStats {
  readonly operator: string;
  readonly rows: number;
  readonly batches: number;
  /** Time spent in this operator, without its inputs. */
  readonly timeMs: number;
}

export interface Execution {
  readonly batches: Batches;
  /** So far; final once the stream has ended. Sources first. */
  stats(): OperatorStats[];
}

interface Meter {
  readonly operator: string;
  rows: number;
  batches: number;
  /** With the inputs. */
  totalMs: number;
  readonly inputs: readonly Meter[];
}

export function execute(plan: PlanNode, context: RunContext): Execution {
  const meters: Meter[] = [];
  const { batches } = start(plan, context, meters);
  return { batches, stats: () => meters.map(statsOf) };
}

function start(node: PlanNode, context: RunContext, meters: Meter[]): { batches: Batches; meter: Meter } {
  if (node.kind === 'source') {
    const meter: Meter = {
      operator: `read ${node.source.label}`,
      rows: 0,
      batches: 0,
      totalMs: 0,
      inputs: [],
    };
    meters.push(meter);
    return { batches: metered(node.source.read({ columns: node.columns }, context), meter, context), meter };
  }
  const inputs = node.inputs.map((input) => start(input, context, meters));
  const meter: Meter = {
    operator: node.operator.label,
    rows: 0,
    batches: 0,
    totalMs: 0,
    inputs: inputs.map((input) => input.meter),
  };
  meters.push(meter);
  const batches = node.operator.run(
    inputs.map((input) => input.batches),
    context,
  );
  return { batches: metered(batches, meter, context), meter };
}

async function* metered(batches: Batches, meter: Meter, context: RunContext): AsyncGenerator<RecordBatch> {
  const iterator = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      throwIfAborted(context);
      const started = performance.now();
      const next = await pulled(iterator, context);
      meter.totalMs += performance.now() - started;
      if (next.done === true) return;
      if (next.value.numRows === 0) continue;
      meter.rows += next.value.numRows;
      meter.batches++;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Whatever the signal broke off in the middle ends as the one error for that. */
async function pulled(
  iterator: AsyncIterator<RecordBatch>,
  context: RunContext,
): Promise<IteratorResult<RecordBatch>> {
  try {
    return await iterator.next();
  } catch (error) {
    throwIfAborted(context);
    throw error;
  }
}

function statsOf({ operator, rows, batches, totalMs, inputs }: Meter): OperatorStats {
  const inputMs = inputs.reduce((total, input) => total + input.totalMs, 0);
  return { operator, rows, batches, timeMs: Math.max(0, totalMs - inputMs) };
}

/** The schema of a plan as far as it follows without running functions; undefined where rows have to be seen. */
export async function plannedSchema(node: PlanNode, context: RunContext): Promise<Schema | undefined> {
  if (node.kind === 'source') return node.source.schema(context);
  const inputs: Schema[] = [];
  for (const input of node.inputs) {
    const schema = await plannedSchema(input, context);
    if (schema === undefined) return undefined;
    inputs.push(schema);
  }
  return node.operator.schema(inputs);
}

/** Number of rows as far as it follows without reading them. */
export async function plannedRowCount(node: PlanNode, context: RunContext): Promise<number | undefined> {
  if (node.kind === 'source') return node.source.rowCount(context);
  const inputs: number[] = [];
  for (const input of node.inputs) {
    const rows = await plannedRowCount(input, context);
    if (rows === undefined) return undefined;
    inputs.push(rows);
  }
  return node.operator.rowCount(inputs);
}
