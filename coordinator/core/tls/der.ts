// As much of DER (ITU-T X.690) as a certificate needs, to be written and read.

/** Tags of elements. */
export const tags = { boolean: 0x01, octetString: 0x04 } as const;

/** An element with all its content. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(body.byteLength), body]);
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.byteLength]), bytes]);
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content);
export const set = (...content: readonly Uint8Array[]): Buffer => element(0x31, ...content);
export const octetString = (content: Uint8Array): Buffer => element(0x04, content);
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'));
/** [n] with elements inside. */
export const tagged = (n: number, ...content: readonly Uint8Array[]): Buffer => element(0xa0 | n, ...content);
/** [n] in the place of a type's own tag. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content);

/** @param magnitude most significant byte first; the number is not negative. */
export function integer(magnitude: Uint8Array): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.from([0]) : Buffer.from(magnitude.subarray(first));
  // A set high bit would make it negative.
  return element(0x02, digits[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** @param unusedBits of the last byte. */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return element(0x03, Buffer.from([unusedBits]), content);
}

/** @param dotted e.g. "1.2.840.10045.4.3.2". */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) groups.unshift((high & 0x7f) | 0x80);
    return groups;
  });
  return element(0x06, Buffer.from(bytes));
}

/** To the second; two digits for the year until 2049, four from then on (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`;
  const isUtcTime = Number(digits.slice(0, 4)) < 2050;
  return element(isUtcTime ? 0x17 : 0x18, Buffer.from(isUtcTime ? digits.slice(2) : digits, 'ascii'));
}

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements that `bytes` consist of, one after another; what is cut off at the end is left out. */
export function elementsIn(bytes: Buffer): DerElement[] {
  const found: DerElement[] = [];
  for (let at = 0; at + 2 <= bytes.byteLength;) {
    const short = bytes[at + 1]!;
    const lengthSize = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthSize;
    if (lengthSize > 4 || start > bytes.byteLength) break;
    const length = lengthSize === 0 ? short : bytes.readUIntBE(at + 2, lengthSize);
    if (start + length > bytes.byteLength) break;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
