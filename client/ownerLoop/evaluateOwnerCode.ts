// Makes a value of the text of an owner's function, in the thread of owners' code and nowhere else.

/** The value of a function expression. `__name` is what bundlers that keep names wrap functions in. */
export function evaluateOwnerCode(source: string): unknown {
  const evaluate = new Function('__name', `"use strict"; return (${source}\n);`) as (
    keepName: (named: unknown) => unknown,
  ) => unknown;
  return evaluate((named) => named);
}
