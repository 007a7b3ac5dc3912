// Exact sums of losses in WebAssembly; shared/gbdt/metric/exactSum.ts has the plain ones.

import { ABSOLUTE, LOG_LOSS, SQUARE, WRONG_CLASS } from '../../wasm/assembly/trees/kernelNumbers.ts';
import { aloneRuntime } from './aloneRuntime.ts';
import { HeapList } from './heapLists.ts';

const kinds = { logloss: LOG_LOSS, error: WRONG_CLASS, square: SQUARE, absolute: ABSOLUTE } as const;

/** A loss that the kernel knows. */
export interface LossKernel {
  readonly kind: keyof typeof kinds;
  /** Of margins, and of their low limbs where they have two. */
  readonly unit: number;
  readonly lowUnit?: number | undefined;
  /** Of logloss: ln(1 + e^-x) in steps of 1/2048. */
  readonly table?: Float64Array | undefined;
}

interface LossRows {
  readonly rows: number;
  /** All high limbs, where they are wide followed by the low ones. */
  readonly margins: Int32Array;
  readonly labels: Float32Array;
  readonly weights?: Float32Array | undefined;
}

interface Lists {
  readonly margins: HeapList;
  readonly labels: HeapList;
  readonly weights: HeapList;
  readonly sums: HeapList;
  readonly parameters: HeapList;
  readonly tables: Map<Float64Array, number>;
}

let lists: Lists | undefined;

/**
 * Adds the losses of a block's rows to limbs, and their weights where rows have them.
 * @param sums limbs of the losses, then as many of the weights. @returns whether it did.
 */
export function addLossesInWasm(kernel: LossKernel, block: LossRows, sums: Float64Array): boolean {
  const runtime = aloneRuntime();
  if (!runtime) return false;
  const { heap, exports } = runtime;
  lists ??= {
    margins: new HeapList(heap),
    labels: new HeapList(heap),
    weights: new HeapList(heap),
    sums: new HeapList(heap),
    parameters: new HeapList(heap),
    tables: new Map(),
  };
  const { rows, margins, labels, weights } = block;
  const isWide = kernel.lowUnit !== undefined;
  const count = isWide ? 2 * rows : rows;
  const marginsAt = lists.margins.reserve(4 * count);
  const labelsAt = lists.labels.reserve(4 * rows);
  const weightsAt = weights ? lists.weights.reserve(4 * rows) : 0;
  const sumsAt = lists.sums.reserve(8 * sums.length);
  const parameters = lists.parameters.reserve(64);
  let table = 0;
  if (kernel.table) {
    table = lists.tables.get(kernel.table) ?? heap.allocate(8 * kernel.table.length).at;
    if (!lists.tables.has(kernel.table)) heap.view('f64', table, kernel.table.length).set(kernel.table);
    lists.tables.set(kernel.table, table);
  }
  heap.view('i32', marginsAt, count).set(margins.subarray(0, count));
  heap.view('f32', labelsAt, rows).set(labels.subarray(0, rows));
  if (weights) heap.view('f32', weightsAt, rows).set(weights.subarray(0, rows));
  const inHeap = heap.view('f64', sumsAt, sums.length);
  inHeap.set(sums);
  heap.writeWords(parameters, {
    kind: kinds[kernel.kind],
    rows,
    margins: marginsAt,
    lowMargins: isWide ? marginsAt + 4 * rows : 0,
    labels: labelsAt,
    weights: weightsAt,
    table,
    losses: sumsAt,
    total: sumsAt + 4 * sums.length,
  });
  heap.view('f64', parameters + 40, 2).set([kernel.unit, kernel.lowUnit ?? 0]);
  exports.addLosses(parameters);
  sums.set(inHeap);
  return true;
}
