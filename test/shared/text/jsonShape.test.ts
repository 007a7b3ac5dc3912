import { describe, expect, it } from 'vitest';
import { beyondShape } from '../../../shared/text/jsonShape.ts';

const shape = { maxDepth: 3, maxKeys: 2, maxContainers: 6 };
const deep = 'Arrays and objects may be nested 3 deep, these are deeper.';
const many = 'There may be 6 arrays and objects, there are more.';
const wide = 'An object may have 2 keys, one has more.';

describe('beyondShape', () => {
  it.each([
    ['nothing', '', undefined],
    ['a number', '1', undefined],
    ['the deepest that may be', '[{"a":[1]},[[]]]', undefined],
    ['arrays that are deeper', '[[[[]]]]', deep],
    ['objects that are deeper', '{"a":{"a":{"a":{}}}}', deep],
    ['as many keys as may be, twice', '[{"a":1,"b":2},{"a":1,"b":2}]', undefined],
    ['a key too many', '[{"a":1,"b":2},{"a":1,"b":2,"c":3}]', wide],
    ['keys on both sides of a nested object', '{"a":{"x":1,"y":1},"b":2,"c":3}', wide],
    ['as many arrays and objects as may be', '[[],{},[],{},[]]', undefined],
    ['one of them too many', '[[],{},[],{},[],{}]', many],
    ['brackets and colons in a string', '"[[[[{\\"a\\":1,:::"', undefined],
    ['brackets after an escaped quote', '["\\"[[[[", 1]', undefined],
    ['brackets after an escaped backslash', '["\\\\", [[[]]]]', deep],
    ['text that is no JSON', ']]]] [[[', undefined],
    ['brackets of another alphabet', 'śśśśś', undefined],
    ['a string that does not end', '"[[[[', undefined],
  ])('finds in %s what there is', (_, text, found) => {
    expect(beyondShape(text, shape)).toBe(found);
  });

  it('stops at the first bracket too many', () => {
    expect(beyondShape('['.repeat(5_000_000), shape)).toBe(deep);
  });
});
