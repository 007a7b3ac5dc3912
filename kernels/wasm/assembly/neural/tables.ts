// Ops that move floats or look them up, and dropout (kernels/neural/ops of the same names).

import { BEFORE_TIMES_COLUMN, PLUS_COLUMN, ROW_FLOATS_TOGETHER } from './kernelNumbers';
import { put, value } from './lanes';
import { entry, float, uint } from './parameters';

/** MurmurHash3's finalizer. */
@inline
function mix(h: u32): u32 {
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/**
 * Parameters: input, output, ids of examples, floats of an example, seed ^ salt, step, threshold of the hash, scale, whether it
 * trains. Task: an example.
 */
export function dropout(parameters: usize, task: u32): void {
  const length = uint(parameters, 3);
  const before = <usize>(task * length) << 2;
  const input = <usize>uint(parameters, 0) + before;
  const output = <usize>uint(parameters, 1) + before;
  if (uint(parameters, 8) === 0) {
    if (input !== output) memory.copy(output, input, <usize>length << 2);
    return;
  }
  const id = load<u32>(<usize>uint(parameters, 2) + (<usize>task << 2));
  const base = mix(mix(mix(uint(parameters, 4)) ^ uint(parameters, 5)) ^ id);
  const threshold = uint(parameters, 6);
  const scale = float(parameters, 7);
  for (let i: u32 = 0; i < length; i += 1) {
    const at = <usize>i << 2;
    store<f32>(output + at, mix(base ^ i) < threshold ? 0 : load<f32>(input + at) * scale);
  }
}

@inline
function ofColumn<Lanes>(formula: u32, column: v128, x: usize, result: usize): void {
  const zero = f32x4.splat(0);
  if (formula === PLUS_COLUMN) {
    put<Lanes>(result, f32x4.add(value<Lanes>(result), column));
    return;
  }
  const v = value<Lanes>(x);
  if (formula === BEFORE_TIMES_COLUMN) {
    const before = value<Lanes>(result);
    put<Lanes>(result, v128.bitselect(before, f32x4.mul(before, column), f32x4.gt(v, zero)));
  } else put<Lanes>(result, v128.bitselect(f32x4.mul(column, v), v, f32x4.lt(v, zero)));
}

/** Parameters: formula, table of columns, x, result, columns, rows. */
export function columnwise(parameters: usize, task: u32): void {
  const formula = uint(parameters, 0);
  const columns = uint(parameters, 4);
  const table = <usize>uint(parameters, 1);
  const bytes = <usize>columns << 2;
  const vectors = bytes & ~15;
  const together = max<u32>(1, ROW_FLOATS_TOGETHER / columns);
  const end = min(uint(parameters, 5), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const x = <usize>uint(parameters, 2) + <usize>row * bytes;
    const result = <usize>uint(parameters, 3) + <usize>row * bytes;
    let at: usize = 0;
    for (; at < vectors; at += 16) ofColumn<v128>(formula, v128.load(table + at), x + at, result + at);
    for (; at < bytes; at += 4) ofColumn<f32>(formula, v128.load32_zero(table + at), x + at, result + at);
  }
}

/** Parameters: input, output, floats of a slice, strides and offsets of input and output in floats, whether it is added, rows. */
export function copySlice(parameters: usize, task: u32): void {
  const length = uint(parameters, 2);
  const adds = uint(parameters, 7) !== 0;
  const together = max<u32>(1, ROW_FLOATS_TOGETHER / length);
  const end = min(uint(parameters, 8), (task + 1) * together);
  for (let row = task * together; row < end; row += 1) {
    const from = <usize>uint(parameters, 0) + (<usize>(row * uint(parameters, 3) + uint(parameters, 4)) << 2);
    const to = <usize>uint(parameters, 1) + (<usize>(row * uint(parameters, 5) + uint(parameters, 6)) << 2);
    if (!adds) memory.copy(to, from, <usize>length << 2);
    else {
      for (let i: u32 = 0; i < length; i += 1) {
        const at = <usize>i << 2;
        store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
      }
    }
  }
}

/** Parameters: input, output, floats of an example, table (count of axes; size and stride of each, the last first), whether it is added. Task: an example. */
export function permute(parameters: usize, task: u32): void {
  const length = uint(parameters, 2);
  const before = <usize>(task * length) << 2;
  const input = <usize>uint(parameters, 0) + before;
  const output = <usize>uint(parameters, 1) + before;
  const table = <usize>uint(parameters, 3);
  const axes = <u32>entry(table, 0);
  const adds = uint(parameters, 4) !== 0;
  for (let i: u32 = 0; i < length; i += 1) {
    let rest = i;
    let from: u32 = 0;
    for (let axis: u32 = 0; axis < axes; axis += 1) {
      const size = <u32>entry(table, 1 + 2 * axis);
      const next = rest / size;
      from += (rest - next * size) * <u32>entry(table, 2 + 2 * axis);
      rest = next;
    }
    const to = output + (<usize>i << 2);
    const moved = load<f32>(input + (<usize>from << 2));
    store<f32>(to, adds ? load<f32>(to) + moved : moved);
  }
}

/** Parameters: indices, table, output, indices in all, floats of a row. */
export function embedding(parameters: usize, task: u32): void {
  const width = uint(parameters, 4);
  const bytes = <usize>width << 2;
  const together = max<u32>(1, ROW_FLOATS_TOGETHER / width);
  const end = min(uint(parameters, 3), (task + 1) * together);
  for (let i = task * together; i < end; i += 1) {
    const row = load<i32>(<usize>uint(parameters, 0) + (<usize>i << 2));
    memory.copy(<usize>uint(parameters, 2) + <usize>i * bytes, <usize>uint(parameters, 1) + <usize>row * bytes, bytes);
  }
}

/** Parameters: indices, gradient, gradient of the table, indices in all, floats of a row, columns of a task. In the order of indices. */
export function embeddingGradient(parameters: usize, task: u32): void {
  const width = uint(parameters, 4);
  const first = task * uint(parameters, 5);
  const columns = min(uint(parameters, 5), width - first);
  const count = uint(parameters, 3);
  const vectors = <usize>(columns & ~3) << 2;
  const bytes = <usize>columns << 2;
  for (let i: u32 = 0; i < count; i += 1) {
    const row = load<u32>(<usize>uint(parameters, 0) + (<usize>i << 2));
    const from = <usize>uint(parameters, 1) + (<usize>(i * width + first) << 2);
    const to = <usize>uint(parameters, 2) + (<usize>(row * width + first) << 2);
    let at: usize = 0;
    for (; at < vectors; at += 16) v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
    for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
  }
}
