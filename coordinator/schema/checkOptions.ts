// Checks the options that an owner gives to a class of the API by their schema.

import type { z } from 'zod';
import type { TabgradError } from '../../kernels/errors.ts';
import { optionProblems } from './optionSentences.ts';

/** Makes the error of a wrong option. */
export type ErrorMaker = (message: string, place: { readonly field: string }) => TabgradError;

/**
 * The options with their defaults filled in.
 * @throws what `makeError` makes, naming the first option that is unknown or out of range.
 */
export function checkOptions<T extends z.ZodType>(
  schema: T,
  given: unknown,
  makeError: ErrorMaker,
): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problem = optionProblems(parsed.error, given, schema, { whole: 'The value', most: 1 })[0];
  throw makeError(asSentence(problem?.sentence ?? parsed.error.message), { field: problem?.field ?? '' });
}

function asSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
