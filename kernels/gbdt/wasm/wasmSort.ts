// Radix sort in WebAssembly, by way of a copy.

import { aloneRuntime, type AloneRuntime } from './aloneRuntime.ts';
import { HeapList } from './heapLists.ts';

/** Copies cost more than they save below, and memory that is never given back above. */
const LEAST_KEYS = 2048;
const MOST_KEYS = 2 ** 24;
const COUNTS_BYTES = 3 * 2048 * 4;

interface Lists {
  readonly keys: HeapList;
  readonly payload: HeapList;
  readonly counts: number;
}

let lists: Lists | undefined;

function listsOf({ heap }: AloneRuntime): Lists {
  lists ??= {
    keys: new HeapList(heap),
    payload: new HeapList(heap),
    counts: heap.allocate(COUNTS_BYTES).at,
  };
  return lists;
}

/** Sorts keys ascending, in place, and moves the payload along (stable). @returns whether it did. */
export function sortInWasm(keys: Uint32Array, payload: Uint32Array | undefined): boolean {
  const { length } = keys;
  if (length < LEAST_KEYS || length > MOST_KEYS) return false;
  const runtime = aloneRuntime();
  if (!runtime) return false;
  const { heap, exports } = runtime;
  const { keys: keyList, payload: payloadList, counts } = listsOf(runtime);
  const bytes = 4 * length;
  const at = keyList.reserve(2 * bytes);
  const payloadAt = payload ? payloadList.reserve(2 * bytes) : 0;
  heap.view('u32', at, length).set(keys);
  if (payload) heap.view('u32', payloadAt, length).set(payload);
  const isInRoom = exports.radixSort(at, payloadAt, at + bytes, payloadAt + bytes, length, counts);
  keys.set(heap.view('u32', at + isInRoom * bytes, length));
  payload?.set(heap.view('u32', payloadAt + isInRoom * bytes, length));
  return true;
}

interface RankedRows {
  readonly rows: number;
  readonly margins: Int32Array;
  readonly labels: Float32Array;
}

/** Runs of equal margin, as sortRuns of shared/gbdt/metric/rankRuns.ts makes them of rows without weights. */
interface CountedRuns {
  readonly margins: Int32Array;
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
}

/** Sorts rows by their margins. @returns undefined where plain code has to. */
export function rankInWasm(blocks: readonly RankedRows[]): CountedRuns | undefined {
  const count = blocks.reduce((sum, { rows }) => sum + rows, 0);
  if (count < LEAST_KEYS || count > MOST_KEYS) return undefined;
  const runtime = aloneRuntime();
  if (!runtime) return undefined;
  const { heap, exports } = runtime;
  const { keys: keyList, payload, counts } = listsOf(runtime);
  const mostRows = Math.max(...blocks.map(({ rows }) => rows));
  const keys = keyList.reserve(8 * count);
  // Rows at first, then the runs: a margin and two counts each.
  const rowsAt = payload.reserve(Math.max(8 * mostRows, 20 * count + 8));
  let written = 0;
  for (const { rows, margins, labels } of blocks) {
    heap.view('i32', rowsAt, rows).set(margins.subarray(0, rows));
    heap.view('f32', rowsAt + 4 * rows, rows).set(labels.subarray(0, rows));
    exports.rankKeys(rowsAt, rowsAt + 4 * rows, rows, keys + 4 * written);
    written += rows;
  }
  const isInRoom = exports.radixSort(keys, 0, keys + 4 * count, 0, count, counts);
  const marginsAt = rowsAt + 16 * count;
  const runs = exports.rankRuns(keys + 4 * count * isInRoom, count, marginsAt, rowsAt, rowsAt + 8 * count);
  return {
    margins: heap.view('i32', marginsAt, runs).slice(),
    negatives: heap.view('f64', rowsAt, runs).slice(),
    positives: heap.view('f64', rowsAt + 8 * count, runs).slice(),
  };
}
