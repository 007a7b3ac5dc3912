// Who may not come back: workers by their identity, and addresses. Kept in the record, so that a restart changes nothing.

import { TabgradError } from '../../../kernels/errors.ts';
import { addressBlock } from '../../bounds/addressBlock.ts';

export interface Ban {
  readonly kind: 'worker' | 'address';
  /** A worker's id, an IPv4 address or a /64 network of IPv6. */
  readonly value: string;
  /** As the owner gave it; the banned are told. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly bannedAtMs: number;
}

/** What a database does for the list. */
export interface BanRecord {
  /** All bans, oldest first. */
  all(): Promise<Ban[]>;
  /** Adds a ban, or replaces the one of the same kind and value. */
  save(ban: Ban): Promise<void>;
  remove(ban: Pick<Ban, 'kind' | 'value'>): Promise<void>;
}

class BanListFullError extends TabgradError {
  readonly code = 'BAN_LIST_FULL';
}

export const MAX_BANS = 10_000;

export class BanList {
  readonly #record: BanRecord;
  readonly #bans = new Map<string, Ban>();

  private constructor(record: BanRecord, bans: readonly Ban[]) {
    this.#record = record;
    for (const ban of bans) this.#bans.set(keyOf(ban), ban);
  }

  static async open(record: BanRecord): Promise<BanList> {
    return new BanList(record, await record.all());
  }

  get size(): number {
    return this.#bans.size;
  }

  /** Oldest first. */
  list(): Ban[] {
    return [...this.#bans.values()];
  }

  /** The ban that keeps this worker out. @param workerId undefined for one that is new. */
  find(workerId: string | undefined, address: string): Ban | undefined {
    const value = addressBlock(address);
    return (
      (workerId === undefined ? undefined : this.#bans.get(keyOf({ kind: 'worker', value: workerId }))) ??
      (value === undefined ? undefined : this.#bans.get(keyOf({ kind: 'address', value })))
    );
  }

  /**
   * In force once it is on record.
   * @throws BanListFullError, StorageFullError, StorageError
   */
  async add(ban: Ban): Promise<void> {
    const key = keyOf(ban);
    if (!this.#bans.has(key) && this.#bans.size >= MAX_BANS) {
      throw new BanListFullError(`There are ${MAX_BANS} bans already; lift those that are not needed first.`);
    }
    await this.#record.save(ban);
    this.#bans.delete(key);
    this.#bans.set(key, ban);
  }

  /**
   * Lifts the bans of a worker's id or an address. @returns those that there were.
   * @throws StorageFullError, StorageError
   */
  async lift(value: string): Promise<Ban[]> {
    const block = addressBlock(value);
    const lifted = this.list().filter((ban) => ban.value === (ban.kind === 'address' ? block : value));
    for (const ban of lifted) {
      await this.#record.remove(ban);
      this.#bans.delete(keyOf(ban));
    }
    return lifted;
  }
}

function keyOf({ kind, value }: Pick<Ban, 'kind' | 'value'>): string {
  return `${kind} ${value}`;
}
