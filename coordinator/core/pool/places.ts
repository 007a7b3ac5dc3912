// How many workers there may be: in all, from one address, and how quickly they may come from one. One holder of the join
// token can not take the places of all others.

import type { Clock } from '../../../shared/clock.ts';
import { AddressShares, isOwnMachine, shareOf, type GiveBack } from '../../bounds/addressShares.ts';
import { TokenBucket, type RateLimit } from './rateLimit.ts';

export interface PlaceOptions {
  readonly clock: Clock;
  readonly maxWorkers?: number | undefined;
  /** From one IPv4 address or /64 network; workers of this machine are not counted. */
  readonly maxWorkersPerAddress?: number | undefined;
  /** At which workers may join from one address. */
  readonly joinRate?: RateLimit | undefined;
}

export interface PlaceRefusal {
  /** After RATE_LIMITED there is a place in a moment. */
  readonly code: 'POOL_FULL' | 'ADDRESS_FULL' | 'RATE_LIMITED';
  readonly message: string;
}

const DEFAULT_MAX_WORKERS = 4096;
/** A school behind one address fits; sixteen addresses fill the pool. */
const DEFAULT_MAX_WORKERS_PER_ADDRESS = 256;
/** A class that opens the link at once, and then one that comes and goes. */
const JOIN_RATE: RateLimit = { perSecond: 5, burst: 256 };
/** Addresses whose rate is remembered: so many, and so many before them. */
const RATED_ADDRESSES = 10_000;

export class Places {
  readonly #clock: Clock;
  readonly #shares: AddressShares;
  readonly #joinRate: RateLimit;
  #rates = new Map<string, TokenBucket>();
  #earlierRates = new Map<string, TokenBucket>();

  constructor(options: PlaceOptions) {
    const { maxWorkers = DEFAULT_MAX_WORKERS, maxWorkersPerAddress = DEFAULT_MAX_WORKERS_PER_ADDRESS } =
      options;
    this.#clock = options.clock;
    this.#shares = new AddressShares({ inAll: maxWorkers, byAddress: maxWorkersPerAddress }, isOwnMachine);
    this.#joinRate = options.joinRate ?? JOIN_RATE;
  }

  /** Takes a place. @returns how to give it back, or why there is none. */
  take(address: string): GiveBack | PlaceRefusal {
    const place = this.#shares.take(address);
    const { inAll, byAddress } = this.#shares.limits;
    if (place === 'full') {
      return { code: 'POOL_FULL', message: `The coordinator takes at most ${inAll} workers.` };
    }
    if (place === 'address full') {
      return {
        code: 'ADDRESS_FULL',
        message: `The coordinator takes at most ${byAddress} workers from one address (${address}); the owner can allow more with --max-workers-per-address.`,
      };
    }
    if (this.#isSlow(address)) return place;
    place();
    return { code: 'RATE_LIMITED', message: 'workers join too fast from this address' };
  }

  #isSlow(address: string): boolean {
    if (isOwnMachine(address)) return true;
    const block = shareOf(address);
    const now = this.#clock.now();
    const known = this.#rates.get(block) ?? this.#earlierRates.get(block);
    const bucket = known ?? new TokenBucket(this.#joinRate, now);
    if (!this.#rates.has(block) && this.#rates.size >= RATED_ADDRESSES) {
      this.#earlierRates = this.#rates;
      this.#rates = new Map();
    }
    this.#rates.set(block, bucket);
    return bucket.take(1, now);
  }
}
