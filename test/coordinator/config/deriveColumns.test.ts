import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { deriveBatch } from '../../../coordinator/config/deriveBatch.ts';
import { checkColumns, neededColumns } from '../../../coordinator/config/deriveColumns.ts';
import { parseExpression } from '../../../coordinator/config/expression/parseExpression.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';

const derived = Object.entries({
  hour: 'hour(date)',
  is_late: 'delay > 15',
  slot: 'if(hour < 12, "morning", "later")',
}).map(([name, text]) => ({ name, expression: parseExpression(text) }));

function batchOf(columns: Record<string, arrow.Vector>): arrow.RecordBatch {
  return new arrow.Table(columns).batches[0]!;
}

const batch = batchOf({
  date: arrow.vectorFromArray(
    [Date.UTC(2001, 0, 1, 7), Date.UTC(2001, 0, 1, 19)].map((ms) => new Date(ms)),
    new arrow.TimestampMillisecond(),
  ),
  delay: arrow.vectorFromArray([16, null], new arrow.Int16()),
  origin: arrow.vectorFromArray(['SFO', 'JFK']),
});

describe('derived columns', () => {
  it('compute numbers, booleans and text with missing values, and keep only what is asked for', () => {
    const result = deriveBatch(
      batch,
      derived,
      ['slot', 'hour', 'origin', 'is_late'],
      new DictionaryStrings(),
    );
    expect(new arrow.Table([result]).toArray().map((row) => ({ ...row?.toJSON() }))).toEqual([
      { slot: 'morning', hour: 7, origin: 'SFO', is_late: true },
      { slot: 'later', hour: 19, origin: 'JFK', is_late: null },
    ]);
  });

  it('keep all columns where none are named, and may replace one', () => {
    const replace = [{ name: 'delay', expression: parseExpression('delay * 2') }];
    const result = deriveBatch(batch, replace, undefined, new DictionaryStrings());
    expect(result.schema.fields.map(({ name }) => name)).toEqual(['date', 'delay', 'origin']);
    expect(result.getChild('delay')?.toArray()[0]).toBe(32);
  });

  it('work on batches without rows', () => {
    const result = deriveBatch(batch.slice(0, 0), derived, ['hour', 'slot'], new DictionaryStrings());
    expect(result.numRows).toBe(0);
    expect(result.schema.fields.map(({ name }) => name)).toEqual(['hour', 'slot']);
  });

  it('name the derived column when an expression does not fit the data', () => {
    const wrong = [{ name: 'far', expression: parseExpression('origin > 100') }];
    expect(() => deriveBatch(batch, wrong, undefined, new DictionaryStrings())).toThrow(
      'derive.far: ">" takes numbers, but was given text',
    );
  });

  it('need only the source columns that the kept ones depend on', () => {
    expect(neededColumns(derived, ['slot', 'origin']).toSorted()).toEqual(['date', 'origin']);
    expect(neededColumns(derived, ['is_late'])).toEqual(['delay']);
  });
});

describe('checking the columns of a config', () => {
  const config = {
    derive: { hour: 'hour(date)', late: 'hour > 20 && delay > 15' },
    columns: ['hour', 'late'],
    labelColumn: 'late',
  };
  const available = ['date', 'delay', 'origin'];

  it('accepts columns that are there or derived before they are read', () => {
    expect(() => checkColumns(config, available, 'f.json')).not.toThrow();
  });

  it.each([
    [{ derive: { hour: 'hour(dat)' } }, 'derive.hour', 'f.json: derive.hour names column "dat"'],
    [
      { derive: { late: 'hour > 2', hour: 'hour(date)' } },
      'derive.late',
      '"hour", which the data does not have',
    ],
    [{ columns: ['hour', 'orign'] }, 'columns[1]', 'did you mean origin?'],
    [{ labelColumn: 'delay' }, 'labelColumn', '"delay", which the data does not have'],
    [{ featureColumns: ['hour', 'delay'] }, 'featureColumns[1]', '"delay", which the data does not have'],
    [{ weightColumn: 'w' }, 'weightColumn', '(columns: hour, late)'],
  ])('names file and key of a column that is not there (%#)', (change, field, message) => {
    const check = () => checkColumns({ ...config, ...change }, available, 'f.json');
    expect(check).toThrow(message);
    expect(check).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', place: expect.objectContaining({ field }) }),
    );
  });
});
