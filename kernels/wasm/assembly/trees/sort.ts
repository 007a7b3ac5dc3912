// Sorting of 32-bit keys in linear time: three passes of 11 bits, least significant digit first; and ranks of rows by it.

const RADIX: usize = 2048;

/**
 * Sorts `count` keys (u32) ascending and moves as many payloads (u32) along, unless that is 0. `room` and `payloadRoom` are as long;
 * `counts` holds 3 · 2048 words. @returns whether the sorted ones are in the rooms.
 */
export function radixSort(
  keys: usize,
  payload: usize,
  room: usize,
  payloadRoom: usize,
  count: usize,
  counts: usize,
): u32 {
  memory.fill(counts, 0, 12 * RADIX);
  const end = keys + 4 * count;
  for (let at = keys; at < end; at += 4) {
    const key = load<u32>(at);
    countDigit(counts, key & 2047);
    countDigit(counts + 4 * RADIX, (key >> 11) & 2047);
    countDigit(counts + 8 * RADIX, key >> 22);
  }
  let from = keys;
  let to = room;
  let payloadFrom = payload;
  let payloadTo = payloadRoom;
  let isInRoom: u32 = 0;
  for (let pass: u32 = 0; pass < 3; pass += 1) {
    const shift = 11 * pass;
    const starts = counts + 4 * RADIX * <usize>pass;
    // A digit that is the same everywhere moves nothing.
    if (count === 0 || load<u32>(starts + 4 * <usize>((load<u32>(from) >> shift) & 2047)) === <u32>count)
      continue;
    let next: u32 = 0;
    for (let digit: usize = 0; digit < RADIX; digit += 1) {
      const size = load<u32>(starts + 4 * digit);
      store<u32>(starts + 4 * digit, next);
      next += size;
    }
    if (payload === 0) moveKeys(from, to, count, starts, shift);
    else movePairs(from, to, payloadFrom, payloadTo, count, starts, shift);
    let other = from;
    from = to;
    to = other;
    other = payloadFrom;
    payloadFrom = payloadTo;
    payloadTo = other;
    isInRoom ^= 1;
  }
  return isInRoom;
}

function countDigit(counts: usize, digit: u32): void {
  const at = counts + 4 * <usize>digit;
  store<u32>(at, load<u32>(at) + 1);
}

function moveKeys(from: usize, to: usize, count: usize, starts: usize, shift: u32): void {
  for (let at = from, end = from + 4 * count; at < end; at += 4) {
    const key = load<u32>(at);
    const start = starts + 4 * <usize>((key >> shift) & 2047);
    const place = load<u32>(start);
    store<u32>(start, place + 1);
    store<u32>(to + 4 * <usize>place, key);
  }
}

function movePairs(
  from: usize,
  to: usize,
  payloadFrom: usize,
  payloadTo: usize,
  count: usize,
  starts: usize,
  shift: u32,
): void {
  for (let i: usize = 0; i < count; i += 1) {
    const key = load<u32>(from + 4 * i);
    const start = starts + 4 * <usize>((key >> shift) & 2047);
    const place = load<u32>(start);
    store<u32>(start, place + 1);
    store<u32>(to + 4 * <usize>place, key);
    store<u32>(payloadTo + 4 * <usize>place, load<u32>(payloadFrom + 4 * i));
  }
}

const MARGIN_LIMIT: i32 = 1 << 29;

/** Writes a key for each row: its margin, and its class as the lowest bit. Margins are i32, labels f32. */
export function rankKeys(margins: usize, labels: usize, rows: usize, keys: usize): void {
  for (let row: usize = 0; row < rows; row += 1) {
    const margin = load<i32>(margins + 4 * row) + MARGIN_LIMIT;
    store<i32>(keys + 4 * row, 2 * margin + (load<f32>(labels + 4 * row) === 1 ? 1 : 0));
  }
}

/**
 * Runs of equal margin among sorted keys: margins (i32), and how many rows of each class (f64). @returns how many runs.
 */
export function rankRuns(keys: usize, count: usize, margins: usize, negatives: usize, positives: usize): u32 {
  let runs: usize = 0;
  let i: usize = 0;
  while (i < count) {
    const margin = load<u32>(keys + 4 * i) >> 1;
    let rows: u32 = 0;
    let ones: u32 = 0;
    while (i < count && load<u32>(keys + 4 * i) >> 1 === margin) {
      rows += 1;
      ones += load<u32>(keys + 4 * i) & 1;
      i += 1;
    }
    store<i32>(margins + 4 * runs, <i32>margin - MARGIN_LIMIT);
    store<f64>(negatives + 8 * runs, <f64>(rows - ones));
    store<f64>(positives + 8 * runs, <f64>ones);
    runs += 1;
  }
  return <u32>runs;
}
