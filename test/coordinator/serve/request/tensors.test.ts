import { uint16ToFloat64 } from 'apache-arrow/util/math';
import { describe, expect, it } from 'vitest';
import { readRawTensor } from '../../../../coordinator/serve/request/rawTensor.ts';
import { readBinaryTensor, readJsonTensor } from '../../../../coordinator/serve/request/tensors.ts';
import { featureNumber } from '../../../../coordinator/serve/request/featureNumber.ts';

const read = (datatype: string, ...data: unknown[]): unknown[] =>
  Array.from(readJsonTensor('t', datatype, data, [data.length]));

describe('a datatype that a request announces', () => {
  const ranges: readonly [string, number, number][] = [
    ['INT8', -128, 127],
    ['UINT8', 0, 255],
    ['INT16', -32_768, 32_767],
    ['UINT16', 0, 65_535],
    ['INT32', -2_147_483_648, 2_147_483_647],
    ['UINT32', 0, 4_294_967_295],
  ];
  it.each(ranges)('%s holds whole numbers from %d to %d, and null', (datatype, lowest, highest) => {
    expect(read(datatype, lowest, 0, highest, null)).toEqual([lowest, 0, highest, null]);
    for (const value of [lowest - 1, highest + 1, 0.5, true, '1', [], {}]) {
      expect(() => read(datatype, 1, value)).toThrow(
        `${datatype} holds whole numbers from ${lowest} to ${highest}.`,
      );
    }
    expect(() => read(datatype, 1, highest + 1)).toThrow(`Element 1 of tensor "t" is ${highest + 1};`);
  });

  it('of 64 bits holds its own largest, as near as a double has it, and refuses what is larger', () => {
    expect(read('UINT64', JSON.parse('18446744073709551615'))).toEqual([2 ** 64]);
    expect(read('INT64', JSON.parse('9223372036854775807'), JSON.parse('-9223372036854775808'))).toEqual([
      2 ** 63,
      -(2 ** 63),
    ]);
    const range = 'INT64 holds whole numbers from -9223372036854775808 to 9223372036854775807.';
    expect(() => read('INT64', 9.3e18)).toThrow(range);
    expect(() => read('UINT64', -1)).toThrow('from 0 to 18446744073709551615.');
    expect(() => read('UINT64', 1.5)).toThrow('whole numbers');
  });

  it('BOOL holds true and false, also as 1 and 0; BYTES holds text', () => {
    expect(read('BOOL', true, false, 1, 0, null)).toEqual([true, false, 1, 0, null]);
    expect(() => read('BOOL', 2)).toThrow('BOOL holds true and false.');
    expect(read('BYTES', 'a', null)).toEqual(['a', null]);
    expect(() => read('BYTES', 30)).toThrow('Element 0 of tensor "t" is 30; BYTES holds text.');
  });

  // IEEE 754: binary16 has 11 bits and 2^-24 as its least; ties go to the even neighbour.
  const halves: readonly [number, number][] = [
    [30, 30],
    [0.1, 0.0999755859375],
    [2049, 2048],
    [2051, 2052],
    [65_504, 65_504],
    [65_519.99, 65_504],
    [-(2 ** -24), -(2 ** -24)],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [0, 0],
  ];
  it.each(halves)('FP16 holds %d as %d', (value, held) => {
    expect(read('FP16', value)).toEqual([held]);
  });

  // bfloat16 is the upper half of a float32: 8 bits.
  const brains: readonly [number, number][] = [
    [1 + 2 ** -8, 1],
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [-257, -256],
    [3.3895313892515355e38, 3.3895313892515355e38],
    [2 ** -133, 2 ** -133],
  ];
  it.each(brains)('BF16 holds %d as %d', (value, held) => {
    expect(read('BF16', value)).toEqual([held]);
  });

  it('refuses what a floating datatype has no finite number for', () => {
    for (const [datatype, value] of [
      ['FP16', 65_520],
      ['BF16', 3.4e38],
      ['FP32', 1e39],
      ['FP64', JSON.parse('1e999') as number],
      ['FP32', true],
      ['FP64', '1'],
    ] as const) {
      expect(() => read(datatype, value)).toThrow(/holds numbers of \d\d bits\.$/);
    }
  });

  it('FP16 as bytes is what Arrow reads, for every pattern of bits', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const found = readBinaryTensor('t', 'FP16', new Uint8Array(bits.buffer), bits.length);
    for (const pattern of bits) {
      const expected = uint16ToFloat64(pattern);
      // Arrow reads patterns of NaN as NaN too, and has no sign for zero to compare.
      if (!Object.is(found[pattern], expected) && !(found[pattern] === 0 && expected === 0))
        expect([pattern, found[pattern]]).toEqual([pattern, expected]);
    }
  });

  it('BF16 as bytes is the upper half of a float32, for every pattern of bits', () => {
    const wide = Uint32Array.from({ length: 65_536 }, (_, i) => i * 65_536);
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const found = readBinaryTensor('t', 'BF16', new Uint8Array(bits.buffer), bits.length);
    expect(Float32Array.from(found as ArrayLike<number>)).toEqual(new Float32Array(wide.buffer));
  });

  it('of 64 bits keeps all of them until a model rounds them to float32, once', () => {
    // Half way between two floats and a little more, which a double does not keep: 2^60 + 2^36 + 1.
    const value = 2n ** 60n + 2n ** 36n + 1n;
    const bytes = new Uint8Array(BigUint64Array.of(value, 2n ** 64n - 1n).buffer);
    expect(Array.from(readBinaryTensor('t', 'UINT64', bytes, 2))).toEqual([value, 2n ** 64n - 1n]);
    const feature = { name: 't', isCategorical: false, codes: undefined, hasNumberNames: false };
    expect(featureNumber(value, feature, 0)).toBe(2 ** 60 + 2 ** 37);
    expect(featureNumber(-value, feature, 0)).toBe(-(2 ** 60 + 2 ** 37));
    expect(featureNumber(2n ** 60n + 2n ** 36n, feature, 0)).toBe(2 ** 60);
    expect(featureNumber(2n ** 64n - 1n, feature, 0)).toBe(2 ** 64);
    expect(featureNumber(-7n, feature, 0)).toBe(-7);
  });
});

describe('data of a tensor', () => {
  it('is flat, or nested as its shape', () => {
    const shape = [2, 3];
    expect(readJsonTensor('t', 'INT8', [1, 2, 3, 4, 5, 6], shape)).toEqual([1, 2, 3, 4, 5, 6]);
    const nested = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    expect(readJsonTensor('t', 'INT8', nested, shape)).toEqual([1, 2, 3, 4, 5, 6]);
    const turned = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    expect(() => readJsonTensor('t', 'INT8', turned, shape)).toThrow(
      'Tensor "t" has shape [2,3], and its data has 3 elements where axis 0 tells 2.',
    );
    expect(() => readJsonTensor('t', 'INT8', [[1, 2, 3], 4], shape)).toThrow(
      'its data has 4 where axis 1 tells 3.',
    );
  });

  it('of BYTES is text in UTF-8', () => {
    const text = Buffer.from('\u0002\0\0\0ok\u0001\0\0\0\u00e9', 'latin1');
    expect(() => readBinaryTensor('t', 'BYTES', text, 2)).toThrow(
      'Element 1 of tensor "t" is not UTF-8: byte 0 is 0xe9.',
    );
  });
});

describe('a request of bytes alone', () => {
  const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
  const input = (...shape: (number | null)[]): Parameters<typeof readRawTensor>[1] => ({
    name: 'x',
    datatype: 'FP32',
    shape,
  });

  it('has as many rows as its bytes make up', () => {
    expect(readRawTensor(floats, input(null, 3))).toMatchObject({
      shape: [2, 3],
      values: [1, 2, 3, 4, 5, 6],
    });
    expect(readRawTensor(floats, input(null, 1, 2))).toMatchObject({ shape: [3, 1, 2] });
  });

  it('is one row where a row may have any size', () => {
    expect(readRawTensor(floats, input(null, null, 2))).toMatchObject({ shape: [1, 3, 2] });
  });

  it('is refused where its bytes are no whole rows, or its shape stays open', () => {
    expect(() => readRawTensor(floats, input(null, 4))).toThrow(
      'The body has 24 bytes, which are no tensor "x" of FP32 and shape [-1,4].',
    );
    expect(() => readRawTensor(floats, input(null, null, null))).toThrow('more than one size is open');
    expect(() => readRawTensor(floats, undefined)).toThrow('a model of one input');
  });
});
