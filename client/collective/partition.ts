// Who works on what: pure planning, apart from links.

/**
 * Cuts `length` elements into `parts` ranges that differ by at most one element.
 * @returns parts+1 ascending offsets; part p is [bounds[p], bounds[p+1]).
 */
export function evenBounds(length: number, parts: number): number[] {
  return Array.from({ length: parts + 1 }, (_, part) => Math.floor((length * part) / parts));
}

/** The pieces [start, end) of at most `chunk` elements that cover [start, end) of a part, in order. */
export function* chunksOf(start: number, end: number, chunk: number): Generator<readonly [number, number]> {
  for (let at = start; at < end; at += chunk) yield [at, Math.min(at + chunk, end)];
}

export interface BroadcastPlace {
  /** Rank that this member receives from; undefined at the root. */
  readonly parent: number | undefined;
  readonly children: readonly number[];
}

/** Every member receives from the root itself: one hop, (n-1)·S bytes leave the root. */
export function starPlace(size: number, root: number, rank: number): BroadcastPlace {
  if (rank !== root) return { parent: root, children: [] };
  return { parent: undefined, children: Array.from({ length: size }, (_, r) => r).filter((r) => r !== root) };
}

/** Every member passes the bytes on to the next while they arrive: n-1 hops, S bytes leave each member. */
export function chainPlace(size: number, root: number, rank: number): BroadcastPlace {
  const distance = (rank - root + size) % size;
  return {
    parent: distance === 0 ? undefined : (rank - 1 + size) % size,
    children: distance === size - 1 ? [] : [(rank + 1) % size],
  };
}
