// The text of a request's body. JSON is UTF-8 (RFC 8259, section 8.1): bytes that are not are refused, since a replaced
// character would turn a category into an unknown one, and its prediction into another.

import { isUtf8 } from 'node:buffer';
import { charsetOf } from '../../shared/serve/serveRequest.ts';
import { BadRequestError, MediaTypeError } from './httpErrors.ts';

/** @throws BadRequestError naming the first byte that is not UTF-8. */
export function bodyText(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : utf8Text(body, 'The body');
}

/** A byte order mark, as PowerShell, .NET and Excel write it, may be ignored (RFC 8259, section 8.1). */
export function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Whether the header names no charset, or one whose text is UTF-8 too. */
export function isUtf8Charset(contentType: string | undefined): boolean {
  const charset = charsetOf(contentType);
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset);
}

/** For models: what another charset says is not read as if it were UTF-8. @throws MediaTypeError */
export function requireUtf8(contentType: string | undefined): void {
  if (isUtf8Charset(contentType)) return;
  const charset = charsetOf(contentType)!;
  throw new MediaTypeError(`The body has the charset "${charset.slice(0, 100)}"; JSON is sent as UTF-8.`);
}

/** @param what begins the message. @throws BadRequestError */
export function utf8Text(bytes: Uint8Array, what: string): string {
  const buffer = bufferUnder(bytes);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const at = firstBadByte(buffer);
  throw new BadRequestError(
    `${what} is not UTF-8: byte ${at} is 0x${buffer[at]!.toString(16).padStart(2, '0')}. JSON is sent as UTF-8.`,
  );
}

/** The same bytes, not copied. */
export function bufferUnder(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
