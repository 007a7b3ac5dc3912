// What a group of workers can do together. Training loops speak to this interface; client/collective implements it
// over links, and a group of one needs no network at all.

export type NumericArray = Float64Array | Float32Array | Int32Array | Uint32Array;
export type ReduceOperation = 'sum' | 'min' | 'max';

export interface CollectiveOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for any one peer. The error names the peer. */
  readonly timeoutMs?: number;
}

export interface ReduceScatterOptions extends CollectiveOptions {
  /** By rank: filled with what each other member sent of the part that is kept here; arrays of the kind and length of that part. */
  readonly received?: readonly NumericArray[];
}

export interface BytesOptions extends CollectiveOptions {
  /** What one peer may send, at most: memory is taken for no more, and a peer that announces more is named. */
  readonly maxBytes: number;
}

export interface GatherOptions extends BytesOptions {
  /** False where it is too much to keep digests of (see GatherWitness). Default true. */
  readonly isWitnessed?: boolean;
}

/**
 * Collectives of one generation of a group. Every member calls the same operations in the same order.
 * A call rejects with PeerLostError (names the peer), DeadlineError (names the peer) or AbortedError; after a
 * rejection the generation is over and the group must be formed anew.
 * Floats are combined in rank order, so that every member ends with the same bits.
 */
export interface Collective {
  readonly rank: number;
  readonly size: number;
  /** Worker ids in rank order. */
  readonly members: readonly string[];
  /** Combines `data` over all members, in place; returns it. */
  allReduce<T extends NumericArray>(
    data: T,
    operation?: ReduceOperation,
    options?: CollectiveOptions,
  ): Promise<T>;
  /**
   * Combines `data` over all members and keeps one part each.
   * @param bounds size+1 ascending offsets; member r receives data[bounds[r], bounds[r+1]).
   */
  reduceScatter<T extends NumericArray>(
    data: T,
    bounds: readonly number[],
    operation?: ReduceOperation,
    options?: ReduceScatterOptions,
  ): Promise<T>;
  /** Every member's bytes (lengths may differ), in rank order. */
  allGather(bytes: Uint8Array, options: GatherOptions): Promise<Uint8Array[]>;
  /** The root's bytes, at every member. Others pass an empty array. */
  broadcast(bytes: Uint8Array, root: number, options: BytesOptions): Promise<Uint8Array>;
  /** One member's bytes for each other member: result[r] is what r addressed to me. */
  exchange(bytesByRank: readonly Uint8Array[], options: BytesOptions): Promise<Uint8Array[]>;
  barrier(options?: CollectiveOptions): Promise<void>;
}
