// The datatypes of tensors in the Open Inference Protocol (v2): how wide they are, how their bytes are read, and which
// values of JSON they can hold.

import { halfValue } from '../../../shared/neural/state/decodeHalves.ts';

/** A number of 64 bits keeps them all until the model takes it. */
type TensorNumber = number | bigint | boolean;

export interface NumberType {
  readonly sizeBytes: number;
  readonly read: (view: DataView, offset: number) => TensorNumber;
  /** A value of JSON as this type holds it; undefined for what it can not hold. */
  readonly hold: (value: unknown) => TensorNumber | undefined;
  /** What it holds, in words. */
  readonly range: string;
}

type ReadNumber = (view: DataView, offset: number) => number;

function integer(bits: 8 | 16 | 32, isSigned: boolean, read: ReadNumber): NumberType {
  const lowest = isSigned ? -(2 ** (bits - 1)) : 0;
  return whole(bits / 8, lowest, lowest + 2 ** bits - 1, read);
}

/**
 * JSON's numbers are doubles here, and the largest of 64 bits is read as the power of two after it: both are the same to a
 * model, which computes in float32.
 */
function integer64(isSigned: boolean, read: NumberType['read']): NumberType {
  return whole(8, isSigned ? -(2 ** 63) : 0, isSigned ? 2 ** 63 : 2 ** 64, read);
}

function whole(sizeBytes: number, lowest: number, highest: number, read: NumberType['read']): NumberType {
  return {
    sizeBytes,
    read,
    hold: (value) =>
      Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest
        ? (value as number)
        : undefined,
    range: `whole numbers from ${BigInt(lowest)} to ${sizeBytes < 8 ? highest : BigInt(highest) - 1n}`,
  };
}

/** @param round to the type, to an infinity where it is beyond. */
function float(sizeBytes: number, read: ReadNumber, round: (value: number) => number): NumberType {
  return {
    sizeBytes,
    read,
    hold: (value) => {
      const rounded = typeof value === 'number' ? round(value) : NaN;
      return Number.isFinite(rounded) ? rounded : undefined;
    },
    range: `numbers of ${sizeBytes * 8} bits`,
  };
}

/**
 * The nearest number of a binary floating format, ties to even (IEEE 754, section 4.3.1).
 * @param bits of the significand, with the leading one. @param minExponent of normal numbers.
 */
function roundTo(bits: number, minExponent: number, largest: number): (value: number) => number {
  return (value) => {
    const size = Math.abs(value);
    if (!(size > 0 && size < Infinity)) return value;
    let exponent = Math.floor(Math.log2(size));
    if (2 ** exponent > size) exponent -= 1;
    const step = 2 ** (Math.max(exponent, minExponent) - bits + 1);
    const steps = size / step;
    const below = Math.floor(steps);
    const isUp = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1);
    const rounded = (below + Number(isUp)) * step;
    return Math.sign(value) * (rounded > largest ? Infinity : rounded);
  };
}

/** The upper half of a float32. */
function readBfloat16(view: DataView, offset: number): number {
  const wide = new DataView(new ArrayBuffer(4));
  wide.setUint16(0, view.getUint16(offset, true));
  return wide.getFloat32(0);
}

export const numberTypes: Readonly<Record<string, NumberType>> = {
  BOOL: {
    sizeBytes: 1,
    read: (view, at) => view.getUint8(at) !== 0,
    hold: (value) => (typeof value === 'boolean' || value === 0 || value === 1 ? value : undefined),
    range: 'true and false',
  },
  UINT8: integer(8, false, (view, at) => view.getUint8(at)),
  UINT16: integer(16, false, (view, at) => view.getUint16(at, true)),
  UINT32: integer(32, false, (view, at) => view.getUint32(at, true)),
  UINT64: integer64(false, (view, at) => view.getBigUint64(at, true)),
  INT8: integer(8, true, (view, at) => view.getInt8(at)),
  INT16: integer(16, true, (view, at) => view.getInt16(at, true)),
  INT32: integer(32, true, (view, at) => view.getInt32(at, true)),
  INT64: integer64(true, (view, at) => view.getBigInt64(at, true)),
  FP16: float(2, (view, at) => halfValue(view.getUint16(at, true)), roundTo(11, -14, 65_504)),
  BF16: float(2, readBfloat16, roundTo(8, -126, (2 - 2 ** -7) * 2 ** 127)),
  FP32: float(4, (view, at) => view.getFloat32(at, true), Math.fround),
  FP64: float(
    8,
    (view, at) => view.getFloat64(at, true),
    (value) => value,
  ),
};

export const tensorTypes: readonly string[] = [...Object.keys(numberTypes), 'BYTES'];
