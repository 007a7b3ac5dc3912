// Collectives of members that live in one process: the plainest implementation of the interface, for tests of what
// stands on it.

import type { Collective, NumericArray } from '../../../shared/collective/collective.ts';

/** Collectives of a group of `size`; every member must call the same operations in the same order. */
export function memoryGroup(size: number): Collective[] {
  interface Meeting {
    readonly values: unknown[];
    readonly release: ((values: unknown[]) => void)[];
  }
  let waiting: Meeting | undefined;
  let arrived = 0;
  const meet = async (rank: number, value: unknown): Promise<unknown[]> => {
    waiting ??= { values: Array.from({ length: size }), release: [] };
    const { values, release } = waiting;
    values[rank] = value;
    arrived += 1;
    if (arrived < size) return new Promise((resolve) => release.push(resolve));
    waiting = undefined;
    arrived = 0;
    for (const resolve of release) resolve(values);
    return values;
  };
  const combine = (arrays: readonly NumericArray[], operation: string): NumericArray => {
    const result = arrays[0]!.slice();
    for (const array of arrays.slice(1)) {
      array.forEach((value, i) => {
        const before = result[i]!;
        result[i] =
          operation === 'sum'
            ? before + value
            : operation === 'min'
              ? Math.min(before, value)
              : Math.max(before, value);
      });
    }
    return result;
  };
  return Array.from({ length: size }, (_, rank): Collective => ({
    rank,
    size,
    members: Array.from({ length: size }, (_, at) => `w${at}`),
    async allReduce(data, operation = 'sum') {
      const all = (await meet(rank, data.slice())) as NumericArray[];
      data.set(combine(all, operation));
      return data;
    },
    async reduceScatter(data, bounds, operation = 'sum', { received } = {}) {
      const all = (await meet(rank, data.slice())) as NumericArray[];
      all.forEach((array, from) => {
        if (from !== rank) received?.[from]?.set(array.slice(bounds[rank], bounds[rank + 1]));
      });
      return combine(all, operation).slice(bounds[rank], bounds[rank + 1]) as typeof data;
    },
    async allGather(bytes) {
      return ((await meet(rank, bytes.slice())) as Uint8Array[]).map((one) => one.slice());
    },
    async broadcast(bytes, root) {
      return ((await meet(rank, bytes.slice())) as Uint8Array[])[root]!.slice();
    },
    async exchange(bytesByRank) {
      const all = (await meet(rank, bytesByRank)) as Uint8Array[][];
      return all.map((from) => from[rank]!.slice());
    },
    async barrier() {
      await meet(rank, undefined);
    },
  }));
}
