// Steps over the bytes of JSON without making objects of them. Each function takes the position where something begins and
// returns the one behind it, or STOP where there is no such thing: what is wrong is for JSON.parse to say. Positions are
// arguments and results, not fields, so that the compiler can keep them in registers.

import { bufferUnder } from '../../../http/bodyText.ts';

export const STOP = -1;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_RECORD = 0x7b;
export const CLOSE_RECORD = 0x7d;
export const SPACE = 0x20;
export const BACKSLASH = 0x5c;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** @returns the position of the next byte that is no white space, or the end. */
export function afterSpace(bytes: Uint8Array, at: number): number {
  // As short as can be, so that the compiler puts it where it is called.
  return bytes[at]! > SPACE ? at : afterSpaces(bytes, at);
}

function afterSpaces(bytes: Uint8Array, at: number): number {
  let next = at;
  for (; next < bytes.length; next++) {
    const byte = bytes[next]!;
    if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return next;
}

/** One byte of punctuation, and white space before it. */
export function afterMark(bytes: Uint8Array, at: number, mark: number): number {
  return bytes[at] === mark ? at + 1 : afterSpacedMark(bytes, at, mark);
}

function afterSpacedMark(bytes: Uint8Array, at: number, mark: number): number {
  const next = afterSpaces(bytes, at);
  return bytes[next] === mark ? next + 1 : STOP;
}

/** true, false and null; `into[0]` is 1, 0 and NaN. */
export function afterWord(bytes: Uint8Array, at: number, into: Float64Array): number {
  const first = bytes[at];
  const word = first === NULL[0] ? NULL : first === TRUE[0] ? TRUE : FALSE;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return STOP;
  into[0] = word === NULL ? NaN : word === TRUE ? 1 : 0;
  return at + word.length;
}

/** A string of exactly these bytes. */
export function afterThisString(bytes: Uint8Array, at: number, wanted: Uint8Array): number {
  const { length } = wanted;
  if (bytes[at] !== QUOTE || bytes[at + length + 1] !== QUOTE) return STOP;
  for (let i = 0; i < length; i++) if (bytes[at + 1 + i] !== wanted[i]) return STOP;
  return at + length + 2;
}

/** A string. Whether its escapes are good `stringText` says. */
export function afterString(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return STOP;
  for (let next = at + 1; next < bytes.length; next++) {
    const byte = bytes[next]!;
    if (byte === QUOTE) return next + 1;
    if (byte < SPACE) return STOP;
    if (byte === BACKSLASH) next += 1;
  }
  return STOP;
}

/** @param end behind the string that begins at `at`. @returns undefined for an escape that there is not. */
export function stringText(bytes: Uint8Array, at: number, end: number): string | undefined {
  const text = bufferUnder(bytes).toString('utf8', at + 1, end - 1);
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
