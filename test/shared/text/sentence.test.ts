import { expect, it } from 'vitest';
import { sentence } from '../../../shared/text/sentence.ts';
import { unknownKey } from '../../../shared/text/nearestWord.ts';

it('a message ends once, with a question too', () => {
  expect(sentence('x is 3; expected 4')).toBe('x is 3; expected 4.');
  expect(sentence('There is none.')).toBe('There is none.');
  const { key, problem } = unknownKey({ sheduler: 1 }, ['scheduler'])!;
  expect(sentence(`${key} ${problem}`)).toBe('sheduler is not an option; did you mean scheduler?');
});
