// Sorting of 32-bit keys in linear time, for columns and margins of millions of rows.

import { sortInWasm } from '../../../kernels/gbdt/wasm/wasmSort.ts';

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;
const MASK = RADIX - 1;

/** Memory for the other half of a sort, at least as long as what is sorted; its contents are unspecified. */
export interface SortRoom {
  readonly keys: Uint32Array;
  /** Of the payload's type. */
  readonly payload?: Uint32Array | Float64Array | undefined;
}

/**
 * Sorts unsigned 32-bit keys ascending, in place, and moves `payload` along (stable).
 * Least significant digit first, three passes of 11 bits; a pass whose digit is the same everywhere is skipped.
 * @param room is used instead of new memory.
 */
export function radixSort(
  keys: Uint32Array,
  payload?: Uint32Array | Float64Array,
  room: SortRoom = { keys: new Uint32Array(keys.length), payload: payload?.slice() },
): void {
  if (!(payload instanceof Float64Array) && sortInWasm(keys, payload)) return;
  const length = keys.length;
  const counts = new Uint32Array(3 * RADIX);
  for (let i = 0; i < length; i += 1) {
    const key = keys[i]!;
    counts[key & MASK]! += 1;
    counts[RADIX + ((key >>> RADIX_BITS) & MASK)]! += 1;
    counts[2 * RADIX + (key >>> (2 * RADIX_BITS))]! += 1;
  }
  let fromKeys: Uint32Array = keys;
  let toKeys: Uint32Array = room.keys.subarray(0, length);
  let fromPayload: Uint32Array | Float64Array | undefined = payload;
  let toPayload: Uint32Array | Float64Array | undefined = payload && room.payload?.subarray(0, length);
  for (let pass = 0; pass < 3; pass += 1) {
    const shift = pass * RADIX_BITS;
    const starts = counts.subarray(pass * RADIX, (pass + 1) * RADIX);
    if (length === 0 || starts[(fromKeys[0]! >>> shift) & MASK] === length) continue;
    let next = 0;
    for (let digit = 0; digit < RADIX; digit += 1) {
      const count = starts[digit]!;
      starts[digit] = next;
      next += count;
    }
    if (fromPayload === undefined || toPayload === undefined) moveKeys(fromKeys, toKeys, starts, shift);
    else movePairs(fromKeys, toKeys, fromPayload, toPayload, starts, shift);
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [fromPayload, toPayload] = [toPayload, fromPayload];
  }
  if (fromKeys === keys) return;
  keys.set(fromKeys);
  if (payload !== undefined) payload.set(fromPayload!);
}

/** @param starts where the next key of each digit goes; counted on. */
function moveKeys(from: Uint32Array, to: Uint32Array, starts: Uint32Array, shift: number): void {
  for (let i = 0; i < from.length; i += 1) {
    const key = from[i]!;
    const digit = (key >>> shift) & MASK;
    const at = starts[digit]!;
    starts[digit] = at + 1;
    to[at] = key;
  }
}

function movePairs(
  fromKeys: Uint32Array,
  toKeys: Uint32Array,
  fromPayload: Uint32Array | Float64Array,
  toPayload: Uint32Array | Float64Array,
  starts: Uint32Array,
  shift: number,
): void {
  for (let i = 0; i < fromKeys.length; i += 1) {
    const key = fromKeys[i]!;
    const digit = (key >>> shift) & MASK;
    const at = starts[digit]!;
    starts[digit] = at + 1;
    toKeys[at] = key;
    toPayload[at] = fromPayload[i]!;
  }
}

/**
 * Flips a float32's bits, all of them or the sign alone, so that unsigned order is the order of the numbers; `unflipFloat`
 * undoes it. Signs come in no order, so there is no branch for them.
 */
export function flipFloat(bits: number): number {
  return (bits ^ ((bits >> 31) | 0x80000000)) >>> 0;
}

export function unflipFloat(key: number): number {
  return (key ^ (~(key >> 31) | 0x80000000)) >>> 0;
}
