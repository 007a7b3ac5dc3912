// Finds a key of options that nobody knows, with the one that was probably meant.

import { nearestWord } from './nearestWord.ts';

/** @returns the first key that is not among `names`, and words that follow it in a message; undefined where there is none. */
export function unknownKey(
  options: object,
  names: readonly string[],
): { readonly key: string; readonly problem: string } | undefined {
  const key = Object.keys(options).find((one) => !names.includes(one));
  if (key === undefined) return undefined;
  const near = nearestWord(key, names);
  const hint = near === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${near}?`;
  return { key, problem: `is not an option; ${hint}` };
}
