// What `npm run test:long` runs whole and `npm test` a part of: cases of one kind that are many, or repeat with other seeds.

const isLong = process.env['TABGRAD_TEST_LONG'] === '1';

/** How often something is repeated. */
export const repeated = (long: number, short: number): number => (isLong ? long : short);

/** All cases, or each `every`th, beginning with `first`. */
export function sampled<Case>(cases: readonly Case[], every: number, first = 0): Case[] {
  return cases.filter((_, index) => isLong || index % every === first);
}
