// Damages bytes in the ways that files are damaged, and in those that people think of who want to do harm.

type Random = () => number;

/** Lengths, counts and offsets that readers get wrong. */
const ODD_NUMBERS = [
  0, 1, -1, 127, 128, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fff_ffff, -0x8000_0000, 0x1fff_ffff,
];
const MAX_RUN_BYTES = 64;

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const mutations: readonly Mutation[] = [
  (bytes, random) => changed(bytes, random, (value) => value ^ (1 << Math.floor(random() * 8))),
  (bytes, random) => changed(bytes, random, () => Math.floor(random() * 256)),
  (bytes, random) => changed(bytes, random, (value) => value + (random() < 0.5 ? 1 : -1)),
  setOddNumber,
  function cutOut(bytes, random) {
    const at = place(bytes, random);
    return joined(bytes.subarray(0, at), bytes.subarray(at + runLength(random)));
  },
  function repeatRun(bytes, random) {
    const at = place(bytes, random);
    return joined(bytes.subarray(0, at + runLength(random)), bytes.subarray(at));
  },
  function swapRun(bytes, random) {
    const out = bytes.slice();
    out.copyWithin(place(bytes, random), place(bytes, random), place(bytes, random) + runLength(random));
    return out;
  },
  (bytes, random) => bytes.slice(0, place(bytes, random)),
];

/** One to three mutations of the bytes, always the same for the same random numbers. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes;
  for (let left = 1 + Math.floor(random() * 3); left > 0 && out.length > 0; left--) {
    out = mutations[Math.floor(random() * mutations.length)]!(out, random);
  }
  return out;
}

/** Half of the time in the first or last eighth, where formats keep what they say about themselves. */
function place(bytes: Uint8Array, random: Random): number {
  const where = random();
  if (where > 0.5) return Math.floor(random() * bytes.length);
  const eighth = Math.ceil(bytes.length / 8);
  const at = Math.floor(random() * eighth);
  return Math.max(0, where > 0.25 ? at : bytes.length - 1 - at);
}

function runLength(random: Random): number {
  return 1 + Math.floor(random() * MAX_RUN_BYTES);
}

function changed(bytes: Uint8Array, random: Random, change: (value: number) => number): Uint8Array {
  const out = bytes.slice();
  const at = place(bytes, random);
  out[at] = change(out[at]!);
  return out;
}

function setOddNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  if (out.length < 8) return out;
  const at = Math.min(place(bytes, random), out.length - 8);
  const view = new DataView(out.buffer);
  const number = ODD_NUMBERS[Math.floor(random() * ODD_NUMBERS.length)]!;
  if (random() < 0.5) view.setInt32(at, number, true);
  else view.setBigInt64(at, BigInt(number), true);
  return out;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
