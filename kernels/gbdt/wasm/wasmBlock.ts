// Blocks in the memory of the WebAssembly kernels: what assembly/trees/block.ts reads.

import type { HeapPiece, WasmHeap } from '../../wasm/wasmHeap.ts';
import { hasClassOutputs } from '../gradientKinds.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock } from '../treeDevice.ts';
import { MISSING_BIN, hasWideMargins } from '../treeDevice.ts';

const DESCRIPTION_WORDS = 16;
/** Loads of eight slots at a row's last features end behind it. */
const SLACK_BYTES = 8;

export interface WasmBlock extends LoadedBlock {
  /** Address of its description. */
  readonly at: number;
  /** [output][row]: i32. */
  readonly marginsAt: number;
  /** Low limbs of margins, where they have two. */
  readonly lowMarginsAt: number | undefined;
  /** [node][begin, end); of training blocks. */
  ranges: HeapPiece | undefined;
  readonly pieces: readonly HeapPiece[];
  /** Whether its rows stand at nodes of the growing tree. */
  isGrowing: boolean;
}

/**
 * Copies what the kernels need of a block that passed checkBlock.
 * @param nodes that ranges are to hold; one more is always empty.
 */
export function storeBlock(
  heap: WasmHeap,
  spec: DeviceSpec,
  block: BinnedBlock,
  role: LoadedBlock['role'],
  nodes: number,
): WasmBlock {
  const pieces: HeapPiece[] = [];
  try {
    return storePieces(heap, spec, block, role, nodes, (bytes) => {
      const piece = heap.allocate(bytes);
      pieces.push(piece);
      return piece;
    });
  } catch (error) {
    for (const piece of pieces) heap.free(piece);
    throw error;
  }
}

export function freeBlock(heap: WasmHeap, { pieces, ranges }: WasmBlock): void {
  for (const piece of pieces) heap.free(piece);
  if (ranges) heap.free(ranges);
}

function storePieces(
  heap: WasmHeap,
  spec: DeviceSpec,
  block: BinnedBlock,
  role: LoadedBlock['role'],
  nodes: number,
  allocate: (bytes: number) => HeapPiece,
): WasmBlock {
  const { rows, labels, weights } = block;
  const features = spec.slotsPerFeature.length;
  const rowBytes = 4 * Math.ceil(features / 4);
  const isTrained = role === 'train';
  const pieces: HeapPiece[] = [];
  const piece = (bytes: number): HeapPiece => {
    const made = allocate(bytes);
    pieces.push(made);
    return made;
  };
  const description = piece(4 * DESCRIPTION_WORDS);
  const slots = piece(rows * rowBytes + SLACK_BYTES);
  const margins = piece(4 * rows * spec.outputs);
  const trained = (bytes: number): number => (isTrained ? piece(bytes).at : 0);
  const columns = trained(rows * features);
  const labelsAt = trained(4 * rows);
  const weightsAt = weights === undefined ? 0 : trained(4 * rows);
  const gradients = trained(8 * rows);
  const order = trained(4 * rows);
  const isWide = spec.isWide === true;
  const lowLabels = hasWideMargins(spec) ? trained(4 * rows) : 0;
  const lowWeights = isWide && weights !== undefined ? trained(4 * rows) : 0;
  const lowMargins = hasWideMargins(spec) ? piece(4 * rows).at : undefined;
  const lowGradients = isWide ? trained(8 * rows) : 0;
  const softmax = hasClassOutputs(spec.gradient) ? trained(8 * rows) : 0;
  const ranges = isTrained ? allocate(8 * (nodes + 1)) : undefined;

  // All memory is taken: from here on views hold.
  packSlots(heap.view('u8', slots.at, rows * rowBytes), spec, block, rowBytes);
  const start = heap.view('i32', margins.at, rows * spec.outputs);
  if (block.baseMargins) start.set(block.baseMargins);
  else start.fill(spec.baseMargin);
  if (lowMargins !== undefined) {
    const lows = heap.view('i32', lowMargins, rows);
    if (block.low?.baseMargins) lows.set(block.low.baseMargins);
    else lows.fill(spec.baseMarginLow ?? 0);
  }
  if (ranges) {
    if (lowLabels !== 0) heap.view('i32', lowLabels, rows).set(block.low?.labels ?? []);
    if (lowWeights !== 0) heap.view('u32', lowWeights, rows).set(block.low?.weights ?? []);
    block.bins.forEach((column, feature) => heap.view('u8', columns + feature * rows, rows).set(column));
    heap.view('i32', labelsAt, rows).set(labels);
    if (weights !== undefined) heap.view('u32', weightsAt, rows).set(weights);
    heap.view('u8', ranges.at, ranges.bytes).fill(0);
  }
  heap.writeWords(description.at, {
    rows,
    firstRow: block.firstRow,
    slots: slots.at,
    rowBytes,
    columns,
    labels: labelsAt,
    weights: weightsAt,
    margins: margins.at,
    gradients,
    order,
    ranges: ranges?.at ?? 0,
    softmax,
    lowLabels,
    lowWeights,
    lowMargins: lowMargins ?? 0,
    lowGradients,
  });
  return {
    firstRow: block.firstRow,
    rows,
    role,
    at: description.at,
    marginsAt: margins.at,
    lowMarginsAt: lowMargins,
    ranges,
    pieces,
    isGrowing: false,
  };
}

/** From columns to rows; a missing value is the last slot of its feature. */
function packSlots(slots: Uint8Array, spec: DeviceSpec, { bins }: BinnedBlock, rowBytes: number): void {
  bins.forEach((column, feature) => {
    const missing = (spec.slotsPerFeature[feature] ?? 1) - 1;
    for (let row = 0, at = feature; row < column.length; row += 1, at += rowBytes) {
      const bin = column[row]!;
      slots[at] = bin === MISSING_BIN ? missing : bin;
    }
  });
}

/** Makes room for more nodes; those that there are stay where they are. */
export function widenRanges(heap: WasmHeap, block: WasmBlock, nodes: number): void {
  const old = block.ranges;
  if (!old) return;
  const wider = heap.allocate(8 * (nodes + 1));
  const view = heap.view('u8', wider.at, wider.bytes);
  view.fill(0);
  view.set(heap.view('u8', old.at, old.bytes).subarray(0, wider.bytes));
  heap.free(old);
  block.ranges = wider;
  heap.view('u32', block.at, DESCRIPTION_WORDS)[10] = wider.at;
}
