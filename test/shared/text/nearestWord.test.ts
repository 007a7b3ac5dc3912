import { describe, expect, it } from 'vitest';
import { nearestWord } from '../../../shared/text/nearestWord.ts';

describe('nearestWord', () => {
  it('finds the word with one letter wrong, missing, added or swapped', () => {
    const words = ['delay', 'distance', 'origin'];
    for (const typo of ['delax', 'dela', 'delayy', 'dealy', 'DELAY'])
      expect(nearestWord(typo, words)).toBe('delay');
  });

  it('gives nothing when no word is near', () => {
    expect(nearestWord('passenger', ['delay', 'distance'])).toBeUndefined();
    expect(nearestWord('x', [])).toBeUndefined();
  });

  it('prefers the nearer word, and the earlier of two that are equally near', () => {
    expect(nearestWord('max_dept', ['max_depth', 'max_step'])).toBe('max_depth');
    expect(nearestWord('bat', ['cat', 'hat'])).toBe('cat');
  });
});
