import { describe, expect, it } from 'vitest';
import { STOP } from '../../../../coordinator/serve/request/rows/jsonBytes.ts';
import { afterNumber } from '../../../../coordinator/serve/request/rows/jsonNumber.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const into = new Float64Array(1);

function read(text: string, asFloat32: boolean): number | undefined {
  const end = afterNumber(Buffer.from(`${text},`), 0, asFloat32, into);
  return end === text.length ? into[0] : undefined;
}

const digitsOf = (random: () => number, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join('');

function randomNumber(random: () => number): string {
  const below = (count: number): number => Math.floor(random() * count);
  const sign = random() < 0.4 ? '-' : '';
  const whole = random() < 0.3 ? '0' : `${1 + below(9)}${digitsOf(random, below(random() < 0.2 ? 30 : 9))}`;
  const fraction = random() < 0.6 ? `.${digitsOf(random, 1 + below(random() < 0.3 ? 30 : 17))}` : '';
  const exponent =
    random() < 0.4 ? `${'eE'[below(2)]}${['', '+', '-'][below(3)]}${below(random() < 0.2 ? 400 : 40)}` : '';
  return sign + whole + fraction + exponent;
}

describe('a number of JSON from its bytes', () => {
  it('is the double of JSON.parse, and where float32 is asked for has the same float32', () => {
    const random = seededRandom(31);
    for (let i = 0; i < 20_000; i++) {
      const text = randomNumber(random);
      const parsed = JSON.parse(text) as number;
      expect(read(text, false), text).toBe(parsed);
      expect(Math.fround(read(text, true)!), text).toBe(Math.fround(parsed));
    }
  });

  it('is as JSON.stringify writes it: doubles and float32', () => {
    const random = seededRandom(32);
    const floats = new Float32Array(1);
    const bits = new Uint32Array(floats.buffer);
    for (let i = 0; i < 8_000; i++) {
      bits[0] = random() * 2 ** 32;
      const value = random() < 0.5 ? floats[0]! : random() * 10 ** Math.floor(random() * 60 - 30);
      if (!Number.isFinite(value)) continue;
      expect(read(JSON.stringify(value), false)).toBe(value === 0 ? 0 : value);
      expect(Math.fround(read(JSON.stringify(value), true)!)).toBe(value === 0 ? 0 : Math.fround(value));
    }
  });

  it('is rounded right beside the middle between two float32, where one digit far behind decides', () => {
    const random = seededRandom(33);
    for (let i = 0; i < 2_000; i++) {
      const low = Math.fround(1 + random() * 15);
      const high = Math.fround(low * (1 + 2 ** -23));
      const middle = (low + high) / 2;
      const text = middle.toFixed(20);
      for (const near of [
        text,
        `${text.slice(0, -3)}1`,
        `${text}00000001`,
        String(middle),
        text.slice(0, 17),
      ])
        expect(Math.fround(read(near, true)!), near).toBe(Math.fround(JSON.parse(near) as number));
    }
  });

  it.each([
    '0',
    '-0',
    '-0.0',
    '0e9',
    '1e400',
    '-1e400',
    '1e-400',
    '5e-324',
    '1e22',
    '1e23',
    '9007199254740993',
  ])('%s is what JSON.parse makes of it', (text) => {
    expect(read(text, false)).toBe(JSON.parse(text));
    expect(Math.fround(read(text, true)!)).toBe(Math.fround(JSON.parse(text) as number));
  });

  it.each(['', '-', '01', '-01', '.5', '1.', '1.e5', '1e', '1e+', '+1', 'Infinity', 'NaN', '--1', '00'])(
    'is none in %j',
    (text) => {
      expect(afterNumber(Buffer.from(`${text},`), 0, false, into)).toBe(STOP);
      expect(afterNumber(Buffer.from(text), 0, true, into)).toBe(STOP);
    },
  );
});
