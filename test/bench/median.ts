// The middle value: what a machine that others use too can't spoil by one bad round.

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
