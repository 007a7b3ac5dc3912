// Runs the text of an owner's function. Only where the person who lends the machine allows it: in a tab the browser's
// sandbox stands around it; in Node and Deno it has the rights of the process.

/** The value of a function expression. `__name` is what bundlers that keep names wrap functions in. */
export function evaluateOwnerCode(source: string): unknown {
  const evaluate = new Function('__name', `"use strict"; return (${source}\n);`) as (
    keepName: (named: unknown) => unknown,
  ) => unknown;
  return evaluate((named) => named);
}
