import { expect, it } from 'vitest';
import { alignColumns } from '../../../shared/text/alignColumns.ts';

it('cells stand in columns two spaces apart, and lines end with their last character', () => {
  expect(alignColumns([['id', 'name'], ['1234', ''], ['5'], ['6', 'ann', 'here']])).toEqual({
    lines: ['id    name', '1234', '5', '6     ann   here'],
    widths: [4, 4, 4],
  });
  expect(alignColumns([])).toEqual({ lines: [], widths: [] });
});

it('what would act on a terminal is written out, and counts with its width', () => {
  expect(
    alignColumns([
      ['\u001B', 'a'],
      ['b\nc', 'd'],
    ]).lines,
  ).toEqual([String.raw`\u001b  a`, 'b c     d']);
});
