// Byte strings that are said to be text.

import { isUtf8 } from 'node:buffer';

/**
 * @param offsets value i is data[offsets[i], offsets[i+1]).
 * @throws Error naming the first value that is not UTF-8: decoded all the same, two different texts could become one.
 */
export function requireUtf8(offsets: Int32Array, data: Uint8Array): void {
  const first = offsets[0] ?? 0;
  const last = offsets[offsets.length - 1] ?? first;
  if (isUtf8(data.subarray(first, last)) && beginsWhole(offsets, data)) return;
  for (let i = 0; i + 1 < offsets.length; i++) {
    const bytes = data.subarray(offsets[i], offsets[i + 1]);
    if (isUtf8(bytes)) continue;
    const shown = Buffer.from(bytes.subarray(0, 40)).toString('latin1');
    throw new Error(`its text is not UTF-8 (value ${i} of a batch, ${JSON.stringify(shown)} in Latin-1)`);
  }
}

/** Whether no value begins in the middle of a character. */
function beginsWhole(offsets: Int32Array, data: Uint8Array): boolean {
  for (let i = 0; i + 1 < offsets.length; i++) {
    const at = offsets[i]!;
    if (at < offsets[i + 1]! && (data[at]! & 0xc0) === 0x80) return false;
  }
  return true;
}
