// The collectives of one generation, over links to every other member.

import type {
  BytesOptions,
  Collective,
  CollectiveOptions,
  GatherOptions,
  NumericArray,
  ReduceOperation,
  ReduceScatterOptions,
} from '../../shared/collective/collective.ts';
import { AbortedError, DeadlineError, TabgradError } from '../../kernels/errors.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, type ElementType } from '../../shared/wire/frame.ts';
import { systemClock, type Clock } from '../../shared/clock.ts';
import type { Link } from '../transport/link.ts';
import { PeerLostError } from '../transport/transportErrors.ts';
import { broadcastBytes, exchangeBytes } from './byteExchange.ts';
import { chainReduce } from './chainReduce.ts';
import { chooseAllReduce, choosePlace, type AllReduceAlgorithm } from './chooseAlgorithm.ts';
import { elementTypeOf, emptyLike } from './combine.ts';
import { directReduce } from './directReduce.ts';
import { GatherWitness } from './gatherWitness.ts';
import { Operation, type OperationGroup } from './operation.ts';
import { evenBounds } from './partition.ts';
import { MEETING_INTERVAL, PeerStreams } from './peerStreams.ts';

const DEFAULT_TIMEOUT_MS = 60_000;

/** A collective was called with arguments that can't work. */
class CollectiveMisuseError extends TabgradError {
  readonly code = 'COLLECTIVE_MISUSE';
}

export interface LinkCollectiveOptions {
  readonly rank: number;
  /** Worker ids in rank order, this member's included. */
  readonly members: readonly string[];
  /** By worker id, one for every other member. The collective takes over their messages but does not close them. */
  readonly links: ReadonlyMap<string, Link>;
  readonly generation: number;
  /** How long to wait for any one peer unless a call says otherwise. Default 60 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Overrides chooseAllReduce, for tests and benches. All members must agree. */
  readonly allReduceAlgorithm?: AllReduceAlgorithm;
}

/** What was dropped without being an error. */
export interface CollectiveStats {
  /** Frames of an older generation, or of a collective that is over. */
  readonly staleFrames: number;
}

export class LinkCollective implements Collective {
  readonly rank: number;
  readonly size: number;
  readonly members: readonly string[];
  readonly #group: OperationGroup;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #allReduceAlgorithm: AllReduceAlgorithm | undefined;
  /** What all members got of each, if each sent the same to all. */
  readonly witness: GatherWitness;
  readonly #active = new Set<number>();
  /** Each wait under way, and the peer that it is for. */
  readonly #waits = new Map<(error: unknown) => void, string>();
  #missing: readonly string[] = [];
  #nextSequence = 0;
  #staleFrames = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: LinkCollectiveOptions) {
    const { rank, members, links, generation } = options;
    this.rank = rank;
    this.size = members.length;
    this.members = members;
    this.witness = new GatherWitness(members.length);
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#allReduceAlgorithm = options.allReduceAlgorithm;
    const context = {
      generation,
      isOver: (sequence: number) => sequence < this.#nextSequence && !this.#active.has(sequence),
      nextSequence: () => this.#nextSequence,
      countStale: () => {
        this.#staleFrames += 1;
      },
      fail: (error: unknown) => this.#fail(error),
    };
    let messageBytes = MAX_FRAME_BYTES;
    const peers = members.map((member, at) => {
      if (at === rank) return undefined;
      const link = links.get(member);
      if (!link)
        throw new CollectiveMisuseError(`No link to member ${member} (rank ${at}).`, { peer: member });
      messageBytes = Math.min(messageBytes, link.maxMessageBytes);
      const peer = new PeerStreams(at, link, context);
      void link.closed.then((reason) => this.#lose(peer, reason));
      return peer;
    });
    this.#group = {
      rank,
      size: members.length,
      generation,
      chunkBytes: Math.floor((messageBytes - FRAME_HEADER_BYTES) / 8) * 8,
      peers,
      wait: (promise, peer, doing, timeoutMs) => this.#wait(promise, peer, doing, timeoutMs),
      fail: (error) => this.#fail(error),
      requirePeer: (peer, sequence) => {
        if (peer.lostReason !== undefined && peer.isNeededBy(sequence)) {
          throw PeerLostError.of(peer.link.peer, peer.lostReason);
        }
      },
    };
  }

  /** Peers for whom this member was waiting when its collectives failed or were withdrawn. */
  get missing(): readonly string[] {
    return this.#missing;
  }

  get stats(): CollectiveStats {
    return { staleFrames: this.#staleFrames };
  }

  async allReduce<T extends NumericArray>(
    data: T,
    operation: ReduceOperation = 'sum',
    options: CollectiveOptions = {},
  ): Promise<T> {
    const algorithm = this.#allReduceAlgorithm ?? chooseAllReduce(this.size, data.byteLength);
    await this.#run(elementTypeOf(data), options, (under) =>
      algorithm === 'chain'
        ? chainReduce(under, data, operation)
        : directReduce(under, data, evenBounds(data.length, this.size), operation),
    );
    return data;
  }

  async reduceScatter<T extends NumericArray>(
    data: T,
    bounds: readonly number[],
    operation: ReduceOperation = 'sum',
    options: ReduceScatterOptions = {},
  ): Promise<T> {
    checkBounds(bounds, this.size, data.length);
    const kept = emptyLike(data, (bounds[this.rank + 1] as number) - (bounds[this.rank] as number));
    await this.#run(elementTypeOf(data), options, (under) =>
      directReduce(under, data, bounds, operation, { part: kept, received: options.received }),
    );
    return kept;
  }

  async allGather(bytes: Uint8Array, options: GatherOptions): Promise<Uint8Array[]> {
    const gathered = await this.#gather(bytes, options);
    if (options.isWitnessed !== false) this.witness.hear(gathered);
    return gathered;
  }

  #gather(bytes: Uint8Array, options: BytesOptions): Promise<Uint8Array[]> {
    const outgoing = Array.from({ length: this.size }, () => bytes);
    return this.#run('bytes', options, (under) => exchangeBytes(under, outgoing, options.maxBytes));
  }

  async broadcast(bytes: Uint8Array, root: number, options: BytesOptions): Promise<Uint8Array> {
    if (!Number.isInteger(root) || root < 0 || root >= this.size) {
      throw new CollectiveMisuseError(`Broadcast from rank ${root} in a group of ${this.size}.`);
    }
    const place = choosePlace(this.size, root, this.rank);
    return this.#run('bytes', options, (under) => broadcastBytes(under, bytes, place, options.maxBytes));
  }

  async exchange(bytesByRank: readonly Uint8Array[], options: BytesOptions): Promise<Uint8Array[]> {
    if (bytesByRank.length !== this.size) {
      throw new CollectiveMisuseError(
        `Exchange of ${bytesByRank.length} messages in a group of ${this.size}.`,
      );
    }
    return this.#run('bytes', options, (under) => exchangeBytes(under, bytesByRank, options.maxBytes));
  }

  async barrier(options: CollectiveOptions = {}): Promise<void> {
    await this.#gather(new Uint8Array(0), { ...options, maxBytes: 0 });
  }

  async #run<T>(
    elementType: ElementType,
    options: CollectiveOptions,
    work: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    if (this.#failure) throw this.#failure.error;
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    this.#active.add(sequence);
    const { signal } = options;
    const abort = (): void =>
      this.#fail(new AbortedError('The collective was withdrawn.', {}, { cause: signal?.reason }));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      if (this.#failure) throw (this.#failure as { error: unknown }).error;
      // A root that broadcasts never hears from the others; meeting now and then bounds how far it runs ahead.
      if (sequence % MEETING_INTERVAL === MEETING_INTERVAL - 1) await this.barrier({ ...options });
      return await work(
        new Operation(this.#group, sequence, elementType, options.timeoutMs ?? this.#timeoutMs),
      );
    } catch (error) {
      this.#fail(error);
      throw (this.#failure as { error: unknown } | undefined)?.error ?? error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#active.delete(sequence);
      for (const peer of this.#group.peers) peer?.forget(sequence);
    }
  }

  #wait<T>(promise: Promise<T>, peer: string, doing: string, timeoutMs: number): Promise<T> {
    if (this.#failure) {
      promise.catch(() => undefined); // The first failure is the one that counts.
      return Promise.reject(this.#failure.error);
    }
    return new Promise<T>((resolve, reject) => {
      const give = (error: unknown): void => {
        cancel();
        this.#waits.delete(give);
        reject(error);
      };
      const cancel = this.#clock.after(timeoutMs, () =>
        this.#fail(new DeadlineError(`Peer ${peer} did not ${doing} within ${timeoutMs} ms.`, { peer })),
      );
      this.#waits.set(give, peer);
      promise.then((value) => {
        cancel();
        this.#waits.delete(give);
        resolve(value);
      }, give);
    });
  }

  #lose(peer: PeerStreams, reason: string): void {
    peer.lostReason = reason;
    for (const sequence of this.#active) {
      if (peer.isNeededBy(sequence)) return this.#fail(PeerLostError.of(peer.link.peer, reason));
    }
  }

  /** Ends the generation here: everything under way rejects with the first failure. */
  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#missing = [...new Set(this.#waits.values())];
    for (const give of this.#waits.keys()) give(error);
  }
}

function checkBounds(bounds: readonly number[], size: number, length: number): void {
  const ascending = bounds.every((bound, at) => Number.isInteger(bound) && bound >= (bounds[at - 1] ?? 0));
  if (bounds.length !== size + 1 || !ascending || bounds[0] !== 0 || bounds[size] !== length) {
    throw new CollectiveMisuseError(
      `Bounds [${bounds.slice(0, 8).join(', ')}${bounds.length > 8 ? ', …' : ''}] must ascend from 0 to ${length} in ${size + 1} steps.`,
    );
  }
}
