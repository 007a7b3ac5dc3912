import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../../coordinator/config/expression/bindExpression.ts';
import { parseExpression } from '../../../coordinator/config/expression/parseExpression.ts';
import { columnsRead } from '../../../coordinator/config/expression/syntaxTree.ts';
import type { BatchColumn } from '../../../shared/columns/columnBatch.ts';

const numbers = (name: string, values: readonly (number | null)[]): BatchColumn => ({
  kind: 'numeric',
  name,
  meaning: 'number',
  values: Float64Array.from(values, (value) => value ?? 0),
  valid: Uint8Array.from(values, (value) => (value === null ? 0 : 1)),
});

const batch: readonly BatchColumn[] = [
  numbers('delay', [16, 15, null, -3]),
  numbers('distance', [100, 200, 300, 400]),
  numbers('date', [
    Date.UTC(2001, 0, 1, 0, 5),
    Date.UTC(2001, 11, 31, 23, 59, 59, 999),
    Date.UTC(2000, 1, 29, 12, 30),
    Date.UTC(1969, 6, 20, 20, 17, 40),
  ]),
  { kind: 'categorical', name: 'origin', codes: Int32Array.of(0, 1, -1, 0), dictionary: ['SFO', 'JFK'] },
  numbers('air time (h)', [1, 2, 3, 4]),
];

function values(text: string): (string | number | null)[] {
  const bound = bindExpression(parseExpression(text), (name) => {
    const column = batch.find((candidate) => candidate.name === name);
    if (column === undefined) throw new Error(`no column ${name}`);
    return column;
  });
  return [0, 1, 2, 3].map((row) => {
    const value = bound.at(row);
    return typeof value === 'number' && Number.isNaN(value) ? null : value;
  });
}

describe('expressions of derived columns', () => {
  it('compute the features of the flights job', () => {
    expect(values('hour(date)')).toEqual([0, 23, 12, 20]);
    expect(values('minute(date)')).toEqual([5, 59, 30, 17]);
    expect(values('weekday(date)')).toEqual([1, 1, 2, 0]); // Monday, Monday, Tuesday, Sunday
    expect(values('dayOfYear(date)')).toEqual([1, 365, 60, 201]);
    expect(values('delay > 15')).toEqual([1, 0, null, 0]);
  });

  it('agree with the calendar of Date on every hour of five years around 1970 and 2000', () => {
    for (const start of [Date.UTC(1968, 0), Date.UTC(1999, 0)]) {
      const times = Array.from({ length: 5 * 365 * 4 }, (_, index) => start + index * 6 * 3_600_000 + 59_000);
      const column = numbers('t', times);
      const read = (text: string) => bindExpression(parseExpression(text), () => column);
      const [hour, weekday, month, year] = ['hour(t)', 'weekday(t)', 'month(t)', 'year(t)'].map(read);
      times.forEach((time, row) => {
        const date = new Date(time);
        expect([hour, weekday, month, year].map((bound) => bound?.at(row))).toEqual([
          date.getUTCHours(),
          date.getUTCDay(),
          date.getUTCMonth() + 1,
          date.getUTCFullYear(),
        ]);
      });
    }
  });

  it('keep the usual precedence, associativity and parentheses', () => {
    expect(values('1 + 2 * 3 - 4 / 2 % 3')[0]).toBe(5);
    expect(values('(1 + 2) * 3')[0]).toBe(9);
    expect(values('10 - 4 - 3')[0]).toBe(3);
    expect(values('-2 * -3')[0]).toBe(6);
    expect(values('1 < 2 && 2 < 3 || false')[0]).toBe(1);
    expect(values('!(1 < 2)')[0]).toBe(0);
    expect(values('1.5e3 + .5')[0]).toBe(1500.5);
  });

  it('pass missing values on, and treat them as unknown in logic', () => {
    expect(values('delay + 1')).toEqual([17, 16, null, -2]);
    expect(values('isMissing(delay)')).toEqual([0, 0, 1, 0]);
    expect(values('delay > 15 && distance > 1000')).toEqual([0, 0, 0, 0]);
    expect(values('delay > 15 || distance > 250')).toEqual([1, 0, 1, 1]);
    expect(values('delay > 15 || distance > 350')).toEqual([1, 0, null, 1]);
    expect(values('if(isMissing(delay), 0, delay)')).toEqual([16, 15, 0, -3]);
  });

  it('compare and choose text', () => {
    expect(values('origin == "SFO"')).toEqual([1, 0, null, 1]);
    expect(values("if(delay > 15, origin, 'on time')")).toEqual(['SFO', 'on time', null, 'on time']);
  });

  it('read columns of any name in backticks, and know which columns they read', () => {
    expect(values('`air time (h)` * 2')).toEqual([2, 4, 6, 8]);
    expect(columnsRead(parseExpression('a + max(b, a) - `c d`'))).toEqual(['a', 'b', 'c d']);
  });

  it.each([
    ['delay >', 'expects a column, a value or "(" at character 8, but it ends'],
    ['delay 15', 'expects an operator or the end at character 7, but "15" is there'],
    ['(delay', 'expects ")" at character 7, but it ends'],
    ['hours(date)', '"hours", which is no function. Did you mean "hour"?'],
    ['max(1)', 'gives max 1 values, but it takes 2'],
    ['delay; 1', 'can not be read at character 6'],
    ['delay = 1', 'can not be read at character 7'],
    ['constructor(1)', '"constructor", which is no function'],
    [`${'('.repeat(60)}1${')'.repeat(60)}`, 'nested deeper than 50 levels'],
    ['1 + '.repeat(600), 'at most 2000 characters'],
  ])('refuse %s and say why', (text, reason) => {
    expect(() => parseExpression(text)).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID' }));
    expect(() => parseExpression(text)).toThrow(reason);
  });

  it.each([
    ['origin + 1', '"+" takes numbers, but was given text'],
    ['origin == 1', 'Text can be compared with text alone'],
    ['if(true, origin, 1)', 'Both values of "if" must be text, or both numbers'],
    ['hour("x")', '"hour" takes numbers, but was given text'],
  ])('refuse %s for these columns and say why', (text, reason) => {
    expect(() => values(text)).toThrow(reason);
  });
});
