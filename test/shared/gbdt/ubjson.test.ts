// Universal Binary JSON, as XGBoost writes it and in the forms that the format has besides; and what is none.

import { describe, expect, it } from 'vitest';
import { TabgradError } from '../../../kernels/errors.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { isUbjson, readUbjson } from '../../../shared/gbdt/model/readUbjson.ts';
import { writeModelUbjson } from '../../../shared/gbdt/model/writeModel.ts';
import { writeUbjson } from '../../../shared/gbdt/model/writeUbjson.ts';
import { knownModels } from '../../setup/knownModels.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

/** Text as bytes, and numbers as bytes. */
function bytes(...parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : part.split('').map((c) => c.charCodeAt(0)))),
  );
}

const size64 = (size: number): number[] => [
  ...new Uint8Array(new BigInt64Array([BigInt(size)]).buffer).reverse(),
];

describe('reading', () => {
  it('knows numbers of all types, text, and what has no bytes', () => {
    const list = bytes(
      '[',
      'i',
      255,
      'U',
      255,
      'I',
      1,
      0,
      'l',
      255,
      255,
      255,
      254,
      'N',
      'TFZ',
      'Si',
      1,
      'x',
      'Cy]',
    );
    expect(readUbjson(list)).toEqual([-1, 255, 256, -2, true, false, null, 'x', 'y']);
    expect(readUbjson(bytes('[d', 0x3f, 0x80, 0, 0, 'D', 0x40, 0, 0, 0, 0, 0, 0, 0, ']'))).toEqual([1, 2]);
    expect(readUbjson(bytes('L', 0, 0, 0, 1, 0, 0, 0, 0))).toBe(2 ** 32);
  });

  it('knows lists and objects with and without type and size', () => {
    expect(readUbjson(bytes('[#U', 2, 'i', 1, 'i', 2))).toEqual([1, 2]);
    expect(readUbjson(bytes('[$I#i', 2, 0, 1, 0, 2))).toEqual(Int16Array.of(1, 2));
    expect(readUbjson(bytes('[$S#i', 2, 'i', 1, 'a', 'i', 1, 'b'))).toEqual(['a', 'b']);
    expect(readUbjson(bytes('[$[#i', 2, ']', 'i', 7, ']'))).toEqual([[], [7]]);
    expect(readUbjson(bytes('{#i', 1, 'i', 1, 'a', 'i', 7))).toEqual({ a: 7 });
    expect(readUbjson(bytes('{$U#i', 2, 'i', 1, 'a', 7, 'i', 1, 'b', 8))).toEqual({ a: 7, b: 8 });
    expect(readUbjson(bytes('{NNi', 1, 'aNi', 7, 'N}'))).toEqual({ a: 7 });
  });

  it('takes names of Object.prototype for names', () => {
    const key = (name: string): (string | number)[] => ['i', name.length, name, 'i', 1];
    const read = readUbjson(bytes('{', ...key('__proto__'), ...key('constructor'), '}')) as object;
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor']);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a file cut short', bytes('{i', 3, 'ab'), /byte 1: a size of 3, but 2 bytes are left/],
    ['a number cut short', bytes('[D', 1, 2), /byte 2: the file ends here, expected 6 more bytes/],
    ['an object that does not end', bytes('{i', 1, 'ai', 1), /the file ends here/],
    ['an unknown marker', bytes('[x]'), /byte 1: unknown marker "x"/],
    ['a size below 0', bytes('[#i', 255), /a size of -1/],
    ['a size that is no integer', bytes('[#d', 0, 0, 0, 0), /"d" is no type of a size/],
    [
      'a list of gigabytes',
      bytes('[$d#L', ...size64(2 ** 40)),
      /a size of 1099511627776, but 0 bytes are left/,
    ],
    ['many values without bytes', bytes('[$Z#L', ...size64(2 ** 40)), /byte 2: a list of values of type "Z"/],
    ['many values of a marker', bytes('[#L', ...size64(2 ** 40), 'Z'), /a size of 1099511627776/],
    ['a type without a size', bytes('[$d', 0, 0, 0, 0), /expected "#"/],
    ['bytes behind the end', bytes('{}x'), /byte 2: expected the end of the file/],
    ['lists in lists', bytes('['.repeat(100_000)), /nested more than 64 deep/],
    [
      'more values than a model has',
      new Uint8Array(34_000_000).fill(0x5a).fill(0x5b, 0, 1),
      /more than 33554432 values/,
    ],
    ['nothing', bytes(), /byte 0: the file ends here/],
  ])('refuses %s', (_, file, message) => {
    expect(() => readUbjson(file)).toThrow(message);
    expect(() => readUbjson(file)).toThrow(TabgradError);
  });
});

describe('writing', () => {
  it('is read as it was, also where memory has to grow', () => {
    const floats = Float32Array.from({ length: 50_000 }, (_, i) => i / 7);
    const value = {
      text: 'grün',
      number: -7,
      list: ['a', { b: 1 }, []],
      floats,
      doubles: Float64Array.of(0.1),
      bytes: Uint8Array.of(0, 255),
      signed: Int8Array.of(-128),
      ints: Int32Array.of(-1),
      none: new Float32Array(0),
    };
    const file = writeUbjson({ ...value, long: BigInt64Array.of(5n) });
    expect(isUbjson(file)).toBe(true);
    expect(readUbjson(file)).toEqual({ ...value, long: Float64Array.of(5) });
  });
});

describe('a model of UBJSON', () => {
  const file = knownModels().get('categories')!.ubjson;

  it('is told from JSON by what it holds', () => {
    for (const { json, ubjson } of knownModels().values()) {
      expect(isUbjson(ubjson)).toBe(true);
      expect(isUbjson(new TextEncoder().encode(json))).toBe(false);
    }
    expect(readModel(new TextEncoder().encode(knownModels().get('gamma')!.json)).objective).toBe('reg:gamma');
  });

  it('is refused with a code wherever it is cut short', () => {
    for (let end = 0; end < file.length; end += 1 + (end % 37)) {
      expect(() => readModel(file.subarray(0, end))).toThrow(TabgradError);
    }
  });

  it('is read, or refused with a code, however it was damaged', () => {
    const draw = seededRandom(31);
    const whole = writeModelUbjson(readModel(file));
    let read = 0;
    for (let i = 0; i < 1000; i += 1) {
      const damaged = (i % 2 === 0 ? file : whole).slice();
      for (let k = 0; k <= draw() * 3; k += 1)
        damaged[Math.floor(draw() * damaged.length)] = Math.floor(draw() * 256);
      try {
        const model = readModel(damaged);
        const zeros = Array.from({ length: model.numFeature }, () => new Float32Array(2));
        new Predictor(model).predict(zeros, 2, { iterationRange: [0, 0] });
        read += 1;
      } catch (error) {
        if (!(error instanceof TabgradError)) throw new Error(`mutant ${i}`, { cause: error });
        expect(error.code).toMatch(/^MODEL_/);
      }
    }
    expect(read).toBeGreaterThan(100);
    expect(read).toBeLessThan(990);
  });
});
