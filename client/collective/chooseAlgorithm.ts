// The one place that says which algorithm a collective uses. Every member must choose alike, so the choice may depend
// only on what all of them know: the size of the group and of the data.

import { chainPlace, starPlace, type BroadcastPlace } from './partition.ts';

export type AllReduceAlgorithm = 'direct' | 'chain';

/**
 * direct: 2 hops and 2(n-1)/n·S bytes a peer, over n-1 links. chain: 2(n-1) hops and 2·S bytes a peer, over 2 links.
 * Above 16 members a part of a direct reduction is a small message on many links, and large data prefers two busy ones.
 */
export function chooseAllReduce(size: number, bytes: number): AllReduceAlgorithm {
  return size > 16 && bytes / size >= 64 * 1024 ? 'chain' : 'direct';
}

/** Receivers don't know how much the root sends, so that only the group decides. */
export function choosePlace(size: number, root: number, rank: number): BroadcastPlace {
  return size > 4 ? chainPlace(size, root, rank) : starPlace(size, root, rank);
}
