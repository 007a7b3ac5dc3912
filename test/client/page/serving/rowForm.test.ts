import { describe, expect, it } from 'vitest';
import { curlCommand } from '../../../../client/page/serving/curlCommand.ts';
import { formTexts, readRow, shortFloat } from '../../../../client/page/serving/rowForm.ts';
import type { ModelField } from '../../../../shared/api/servingAnswers.ts';

const fields: ModelField[] = [
  { name: 'hour', kind: 'number' },
  { name: 'carrier', kind: 'category' },
  { name: 'image', kind: 'tensor', shape: [2, 2] },
];

describe('The form of a row', () => {
  it('becomes a row: numbers, names of categories, tensors; what is empty is missing', () => {
    expect(readRow(fields, { hour: ' 2.5e1 ', carrier: '7', image: '[[1, 2], [3, 4]]' })).toEqual({
      row: {
        hour: 25,
        carrier: '7',
        image: [
          [1, 2],
          [3, 4],
        ],
      },
    });
    expect(readRow(fields, { carrier: ' ' })).toEqual({ row: { hour: null, carrier: null, image: null } });
  });

  it.each([
    [{ hour: 'late' }, 'hour is no number.'],
    [{ hour: 'Infinity' }, 'hour is no number.'],
    [{ image: '[1,' }, 'image is no JSON.'],
  ])('says what is wrong with %o', (texts, problem) => {
    expect(readRow(fields, texts)).toEqual({ problem });
  });

  it('is filled with an example row, floats in their shortest form, and gives it back', () => {
    const example = { hour: Math.fround(0.1), carrier: 'AA' };
    const texts = formTexts(fields, example);
    expect(texts).toEqual({ hour: '0.1', carrier: 'AA', image: '[[0,0],[0,0]]' });
    const read = readRow(fields, texts) as { row: { hour: number } };
    expect(Math.fround(read.row.hour)).toBe(example.hour);
    expect(formTexts(fields, { hour: null, carrier: null })).toMatchObject({ hour: '', carrier: '' });
  });

  it.each([0, 1, -2.5, Math.fround(1 / 3), 16_777_217, Math.fround(3.4e38), Math.fround(1e-45)])(
    'keeps the value of %d',
    (value) => {
      expect(Math.fround(shortFloat(value))).toBe(Math.fround(value));
      if (Math.fround(value) !== value) expect(shortFloat(value)).toBe(value);
    },
  );
});

describe('A request as a command', () => {
  it('has no key in it, and quotes what a shell would read', () => {
    expect(curlCommand('http://h/late', `[{"who":"O'Hare $HOME"}]`, false)).toBe(
      String.raw`curl -H 'Content-Type: application/json' -d '[{"who":"O'\''Hare $HOME"}]' 'http://h/late'`,
    );
    expect(curlCommand('http://h/', '[]', true)).toBe(
      `curl -H "Authorization: Bearer $TABGRAD_API_KEY" -H 'Content-Type: application/json' -d '[]' 'http://h/'`,
    );
  });
});
