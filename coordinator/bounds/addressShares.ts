// Places (connections, workers) that are limited in all and by address, so that one address can not take them all.

import { addressBlock } from './addressBlock.ts';

export interface ShareLimits {
  readonly inAll: number;
  readonly byAddress: number;
}

/** Why there is no place. */
export type ShareRefusal = 'full' | 'address full';

/** Gives the place back. Idempotent. */
export type GiveBack = () => void;

export class AddressShares {
  readonly limits: ShareLimits;
  readonly #isExempt: (address: string) => boolean;
  /** Places by block of addresses; only those that hold any. */
  readonly #taken = new Map<string, number>();
  #inAll = 0;

  /** @param isExempt addresses that stand for many, or for this machine: they are counted in all alone. */
  constructor(limits: ShareLimits, isExempt: (address: string) => boolean = () => false) {
    this.limits = limits;
    this.#isExempt = isExempt;
  }

  get inAll(): number {
    return this.#inAll;
  }

  take(address: string): GiveBack | ShareRefusal {
    if (this.#inAll >= this.limits.inAll) return 'full';
    const block = this.#isExempt(address) ? undefined : shareOf(address);
    const taken = block === undefined ? 0 : (this.#taken.get(block) ?? 0);
    if (block !== undefined && taken >= this.limits.byAddress) return 'address full';
    this.#inAll += 1;
    if (block !== undefined) this.#taken.set(block, taken + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#inAll -= 1;
      if (block === undefined) return;
      const left = (this.#taken.get(block) ?? 0) - 1;
      if (left > 0) this.#taken.set(block, left);
      else this.#taken.delete(block);
    };
  }
}

/** What of an address counts as one: the block that it is in. */
export function shareOf(address: string): string {
  return addressBlock(address) ?? address;
}

/** Whether a connection comes from this machine: from its workers, or a proxy on it that stands for others. */
export function isOwnMachine(address: string): boolean {
  return address === '::1' || addressBlock(address)?.startsWith('127.') === true;
}
