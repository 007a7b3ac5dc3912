// The collective of a group of one: everything is already where it belongs.

import { AbortedError } from '../../kernels/errors.ts';
import type { Collective, CollectiveOptions } from './collective.ts';

function check(options?: CollectiveOptions): void {
  if (options?.signal?.aborted === true) throw new AbortedError('the collective operation was withdrawn');
}

/** A group of one. Results are the arguments themselves, or copies where the interface promises new arrays. */
export const soloCollective: Collective = {
  rank: 0,
  size: 1,
  members: ['this worker'],
  async allReduce(data, _operation, options) {
    check(options);
    return data;
  },
  async reduceScatter(data, bounds, _operation, options) {
    check(options);
    return data.slice(bounds[0], bounds[1]) as typeof data;
  },
  async allGather(bytes, options) {
    check(options);
    return [bytes];
  },
  async broadcast(bytes, _root, options) {
    check(options);
    return bytes;
  },
  async exchange(bytesByRank, options) {
    check(options);
    return [...bytesByRank];
  },
  async barrier(options) {
    check(options);
  },
};
