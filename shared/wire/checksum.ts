// XXH32 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). Chosen over CRC32 because four independent
// multiply lanes run several times faster in plain JavaScript, and frames are summed on both ends of every link.

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** XXH32 of `bytes` as an unsigned 32-bit number. Not cryptographic: it finds damage, not malice. */
export function checksum32(bytes: Uint8Array, seed = 0): number {
  // Word reads need alignment; payloads on the wire have it, slices of Node's pooled buffers may not.
  const data = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const wordCount = data.length >>> 2;
  const words = new Int32Array(data.buffer, data.byteOffset, wordCount);
  let word = 0;
  let hash: number;
  if (data.length >= 16) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    const stripesEnd = wordCount & ~3;
    for (; word < stripesEnd; word += 4) {
      a = (a + Math.imul(words[word] as number, PRIME_2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
      b = (b + Math.imul(words[word + 1] as number, PRIME_2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
      c = (c + Math.imul(words[word + 2] as number, PRIME_2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
      d = (d + Math.imul(words[word + 3] as number, PRIME_2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
    }
    hash = rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18);
  } else {
    hash = seed + PRIME_5;
  }
  hash = (hash + data.length) | 0;
  for (; word < wordCount; word += 1) {
    hash = Math.imul(rotateLeft((hash + Math.imul(words[word] as number, PRIME_3)) | 0, 17), PRIME_4);
  }
  for (let at = wordCount * 4; at < data.length; at += 1) {
    hash = Math.imul(rotateLeft((hash + Math.imul(data[at] as number, PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
