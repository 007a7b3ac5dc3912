// Memory that several parties share and none of them owns: what has come of messages and bodies that are not complete.
// Over the budget, the party that holds most gives up its largest piece, so that one party's flood is that party's loss.

/** What one connection holds. */
export interface HeldBytes {
  /** Replaces what was held before. May evict this or another holder at once. */
  set(bytes: number): void;
  /** Holds nothing from now on. Idempotent. */
  release(): void;
}

export interface ByteBudgetOptions {
  readonly maxBytes: number;
  /** Of one party. Default: all. */
  readonly maxBytesEach?: number;
}

interface Holder {
  bytes: number;
  readonly evict: () => void;
}

interface Party {
  bytes: number;
  readonly holders: Set<Holder>;
}

export class ByteBudget {
  readonly #maxBytes: number;
  readonly #maxBytesEach: number;
  readonly #parties = new Map<string, Party>();
  #bytes = 0;

  constructor({ maxBytes, maxBytesEach = maxBytes }: ByteBudgetOptions) {
    this.#maxBytes = maxBytes;
    this.#maxBytesEach = maxBytesEach;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  /**
   * @param party who is charged: an address, a worker.
   * @param evict called once when what is held has to go; it counts as released by then.
   */
  open(party: string, evict: () => void): HeldBytes {
    const holder: Holder = { bytes: 0, evict };
    const holders = this.#parties.get(party) ?? { bytes: 0, holders: new Set() };
    holders.holders.add(holder);
    this.#parties.set(party, holders);
    return {
      set: (bytes) => {
        if (!holders.holders.has(holder)) return;
        this.#bytes += bytes - holder.bytes;
        holders.bytes += bytes - holder.bytes;
        holder.bytes = bytes;
        while (holders.bytes > this.#maxBytesEach) this.#evict(party, holders);
        while (this.#bytes > this.#maxBytes) this.#evictFromLargest();
      },
      release: () => this.#release(party, holders, holder),
    };
  }

  #evictFromLargest(): void {
    let largest: [string, Party] | undefined;
    for (const entry of this.#parties) {
      if (!largest || entry[1].bytes > largest[1].bytes) largest = entry;
    }
    if (largest) this.#evict(...largest);
  }

  #evict(name: string, party: Party): void {
    let largest: Holder | undefined;
    for (const holder of party.holders) {
      if (!largest || holder.bytes > largest.bytes) largest = holder;
    }
    if (!largest) return;
    this.#release(name, party, largest);
    largest.evict();
  }

  #release(name: string, party: Party, holder: Holder): void {
    if (!party.holders.delete(holder)) return;
    party.bytes -= holder.bytes;
    this.#bytes -= holder.bytes;
    if (party.holders.size === 0 && this.#parties.get(name) === party) this.#parties.delete(name);
  }
}
