import { describe, expect, it } from 'vitest';
import { columnsOf, cutColumns, padColumns } from '../../../shared/text/textColumns.ts';

describe('columns of text', () => {
  it.each([
    ['', 0],
    ['GeForce RTX', 11],
    ['日本語', 6],
    ['한국', 4],
    ['Ａ１', 4],
    ['🚀', 2],
    ['e\u0301', 1],
    ['▁▂█…', 4],
    ['é', 1],
    ['\u{20000}', 2],
    ['❤\uFE0F', 2],
  ])('%j takes %d', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['abcdef', 1, '…'],
    ['abcdef', 0, ''],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['日本語', 2, '…'],
    ['ab日', 3, 'ab…'],
  ])('%j in %d columns is %j', (text, width, cut) => {
    expect(cutColumns(text, width)).toBe(cut);
    expect(columnsOf(cutColumns(text, width))).toBeLessThanOrEqual(width);
  });

  it('a letter keeps four of its marks', () => {
    expect(cutColumns(`a${'\u0301'.repeat(5000)}b`, 10)).toBe('a\u0301\u0301\u0301\u0301b');
  });

  it('text is padded by columns, not by characters', () => {
    expect([padColumns('日', 4), padColumns('ab', 4), padColumns('abcde', 4)]).toEqual([
      '日  ',
      'ab  ',
      'abcde',
    ]);
  });
});
