import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkOptions } from '../../../coordinator/schema/checkOptions.ts';
import { wholeFrom } from '../../../coordinator/schema/optionWords.ts';
import { trainError } from '../../../coordinator/options/trainArgumentError.ts';

const shape = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('circle'), radius: z.number().positive() }),
  z.strictObject({ name: z.literal('square'), side: wholeFrom(1, 9) }),
]);
const schema = z
  .strictObject({
    count: wholeFrom(1, 64).default(3),
    share: z.number().gt(0).lt(1).optional(),
    shape: z.union([z.enum(['circle', 'square']), shape]).optional(),
    size: z.tuple([wholeFrom(0), wholeFrom(0)]).optional(),
    names: z.array(z.string().min(1)).min(1).max(2).optional(),
    stop: z
      .custom<() => void>((value) => typeof value === 'function')
      .meta({ title: 'a function' })
      .optional(),
    level: z.union([wholeFrom(1), z.literal(-1)]).optional(),
  })
  .superRefine(({ count, size }, context) => {
    if (size && count > size[1])
      context.addIssue({ code: 'custom', path: ['count'], message: 'is above size' });
  });

describe('Options', () => {
  it('that fit come back with their defaults, live values untouched', () => {
    const stop = (): void => undefined;
    expect(checkOptions(schema, { stop }, trainError)).toEqual({ count: 3, stop });
    expect(checkOptions(schema, { shape: { name: 'square', side: 9 } }, trainError)).toMatchObject({
      shape: { name: 'square', side: 9 },
    });
  });

  it.each([
    [{ coutn: 3 }, 'coutn', 'coutn is not an option; did you mean count?'],
    [{ x: 3 }, 'x', /^x is not an option; expected one of count, share, shape/],
    [{ count: 'x', weight: 1 }, 'weight', /^weight is not an option/],
    [{ count: 65 }, 'count', 'count is 65; expected a whole number from 1 to 64.'],
    [{ count: 1.5 }, 'count', 'count is 1.5; expected a whole number from 1 to 64.'],
    [{ count: '2' }, 'count', 'count is "2"; expected a whole number from 1 to 64.'],
    [{ share: 1 }, 'share', 'share is 1; expected a number above 0 and below 1.'],
    [{ share: Number.NaN }, 'share', 'share is NaN; expected a number above 0 and below 1.'],
    [{ level: 0 }, 'level', 'level is 0; expected a whole number from 1 to 2147483648, or -1.'],
    [
      { shape: 'circel' },
      'shape',
      'shape is "circel"; expected one of circle, square, or an object with keys; did you mean circle?',
    ],
    [{ shape: {} }, 'shape.name', 'shape.name is missing; expected one of circle, square.'],
    [
      { shape: { name: 'square' } },
      'shape.side',
      'shape.side is missing; expected a whole number from 1 to 9.',
    ],
    [
      { shape: { name: 'circle', side: 3, radius: 1 } },
      'shape.side',
      'shape.side is not an option; expected one of name, radius.',
    ],
    [{ size: 3 }, 'size', 'size is 3; expected a pair.'],
    [{ size: [3] }, 'size', 'size is [3]; expected a pair.'],
    [{ size: [0, -1] }, 'size[1]', 'size[1] is -1; expected a whole number from 0 to 2147483648.'],
    [{ names: [] }, 'names', 'names is []; expected a list of at least 1 entry.'],
    [{ names: ['a', ''] }, 'names[1]', 'names[1] is ""; expected some text.'],
    [{ names: ['a', 'b', 'c'] }, 'names', 'names is ["a","b","c"]; expected a list of at most 2 entries.'],
    [{ stop: 3 }, 'stop', 'stop is 3; expected a function.'],
    [{ count: 9, size: [1, 2] }, 'count', 'count is above size.'],
    [null, '', 'The value is null, expected an object with keys.'],
  ])('%j are refused with a sentence that names the option', (given, field, message) => {
    expect(() => checkOptions(schema, given, trainError)).toThrow(
      expect.objectContaining({ code: 'TRAIN_ARGUMENT', place: { field } }),
    );
    expect(() => checkOptions(schema, given, trainError)).toThrow(
      typeof message === 'string' ? new RegExp(`^${escaped(message)}$`) : message,
    );
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
