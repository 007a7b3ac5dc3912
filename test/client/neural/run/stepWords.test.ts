// What members say of a step, and who does whose work again.

import { describe, expect, it } from 'vitest';
import { checkRoles } from '../../../../client/neural/run/checkRoles.ts';
import { contradictions } from '../../../../client/neural/run/contradictions.ts';
import { relativeDistance } from '../../../../client/neural/run/gradientDistance.ts';
import { digestOf, joinDigests, noDigest } from '../../../../client/neural/run/pieceDigests.ts';
import {
  decodeFinding,
  decodeWord,
  encodeFinding,
  encodeWord,
  type StepWord,
} from '../../../../client/neural/run/stepWord.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const digest = (number: number): string => number.toString(16).padStart(32, '0');
const row = (from: number, size: number): string[] =>
  Array.from({ length: size }, (_, at) => digest(from + at));

describe('A word on a step', () => {
  it.each([1, 2, 3, 16])('of a group of %i comes out as it went in', (size) => {
    const word: StepWord = {
      wishes: 5,
      seed: 0xffff_ffff,
      sent: row(1, size),
      received: row(100, size),
      sums: row(200, size),
    };
    expect(decodeWord(encodeWord(word), size)).toEqual(word);
    const finding = { sent: row(7, size), sum: noDigest };
    expect(decodeFinding(encodeFinding(finding), size)).toEqual(finding);
  });

  it.each([0, 1, 52, 54, 1000])('of %i bytes is none of a group of one', (length) => {
    expect(() => decodeWord(new Uint8Array(length), 1)).toThrow(RangeError);
    expect(() => decodeFinding(new Uint8Array(length), 1)).toThrow(RangeError);
  });
});

describe('Contradictions', () => {
  /** What three members say where all is as it should be: piece `from → to` has the digest 10·from + to. */
  const honest = (): { sent: string[]; received: string[]; sums: string[] }[] =>
    [0, 1, 2].map((rank) => ({
      sent: [0, 1, 2].map((to) => digest(10 * rank + to)),
      received: [0, 1, 2].map((from) => digest(10 * from + rank)),
      sums: row(500, 3),
    }));
  const found = (words: ReturnType<typeof honest>): number[][] =>
    contradictions(words.map((word) => ({ wishes: 0, seed: 0, ...word }))).map(({ sender, receiver }) => [
      sender,
      receiver,
    ]);

  it('are none among honest members', () => {
    expect(found(honest())).toEqual([]);
  });

  it('are between who sent a piece and who got another', () => {
    const words = honest();
    words[2]!.received[1] = digest(99);
    expect(found(words)).toEqual([[1, 2]]);
  });

  it('are between who added a part up and those who got another sum', () => {
    const words = honest();
    words[0]!.sums[2] = digest(99);
    words[1]!.sums[2] = digest(98);
    expect(found(words)).toEqual([
      [2, 0],
      [2, 1],
    ]);
  });
});

describe('Roles of a check', () => {
  it('give everybody the work and the part of one other, each once', () => {
    const random = seededRandom(1);
    for (let size = 2; size <= 17; size += 1) {
      for (let turn = 0; turn < 50; turn += 1) {
        const roles = checkRoles(1 + Math.floor(random() * 0xffff_ffff), size);
        const ranks = Array.from({ length: size }, (_, rank) => rank);
        expect(ranks.map((rank) => roles.auditedBy(rank)).sort((a, b) => a - b)).toEqual(ranks);
        expect(ranks.map((rank) => roles.partOf(rank)).sort((a, b) => a - b)).toEqual(ranks);
        for (const rank of ranks) {
          expect(roles.auditedBy(rank)).not.toBe(rank);
          expect(roles.partOf(rank)).not.toBe(rank);
          expect(roles.auditorOf(roles.auditedBy(rank))).toBe(rank);
          expect(roles.adderOf(roles.partOf(rank))).toBe(rank);
        }
      }
    }
  });

  it('pair any two members, sooner or later', () => {
    const random = seededRandom(2);
    const pairs = new Set<number>();
    for (let turn = 0; turn < 200; turn += 1)
      pairs.add(checkRoles(1 + Math.floor(random() * 0xffff_ffff), 5).auditedBy(0));
    expect([...pairs].sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });
});

describe('The distance of two gradients', () => {
  const distance = (a: number[], b: number[]): number =>
    relativeDistance([Float32Array.from(a)], [Float32Array.from(b)]);

  it('is relative to the longer of them', () => {
    expect(distance([3, 4], [3, 4])).toBe(0);
    expect(distance([3, 4], [3, 3])).toBeCloseTo(1 / 5, 12);
    expect(distance([0, 0], [0, 2])).toBe(1);
    expect(distance([], [])).toBe(0);
  });

  it('is infinite where one of them is not finite and the other is', () => {
    expect(distance([1, NaN], [1, 2])).toBe(Infinity);
    expect(distance([Infinity], [-Infinity])).toBe(Infinity);
    expect(distance([NaN, Infinity], [NaN, Infinity])).toBe(0);
  });
});

describe('Digests', () => {
  it('of several pieces depend on their order, and that of one is its own', async () => {
    const [a, b] = [await digestOf(Uint8Array.of(1)), await digestOf(Uint8Array.of(2))];
    expect(a).toMatch(/^[0-9a-f]{32}$/);
    expect(joinDigests([a])).toBe(a);
    expect(joinDigests([a, b])).not.toBe(joinDigests([b, a]));
  });
});
