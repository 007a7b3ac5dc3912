// Text that came over HTTP as UTF-8, or not at all.

import { isUtf8 } from 'node:buffer';
import { BadRequestError } from './httpErrors.ts';

/** @param what begins the message. @throws BadRequestError */
export function utf8Text(bytes: Uint8Array, what: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const at = firstBadByte(buffer);
  throw new BadRequestError(
    `${what} is not UTF-8: byte ${at} is 0x${buffer[at]!.toString(16).padStart(2, '0')}. JSON is sent as UTF-8.`,
  );
}

/** Length of the longest prefix that is UTF-8, by halving: a prefix that ends within a character is looked at from its start. */
function firstBadByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.byteLength;
  while (good < bad) {
    const middle = (good + bad + 1) >>> 1;
    if (isUtf8(bytes.subarray(0, characterStart(bytes, middle)))) good = middle;
    else bad = middle - 1;
  }
  return characterStart(bytes, good);
}

/** Where the character that holds the byte before `end` begins, if it is not complete there; else `end`. */
function characterStart(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? end - back : end;
    }
  }
  return end;
}
