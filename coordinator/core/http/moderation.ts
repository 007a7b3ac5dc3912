// What an owner can do about workers that are not wanted: send them away, ban them, change the tokens.

import type { LieSummary } from '../../../shared/api/workerAnswers.ts';
import { isLoopback } from './addresses.ts';
import { addressBlock } from '../../bounds/addressBlock.ts';
import type { Ban, BanList } from '../pool/banList.ts';
import type { Pool } from '../pool/pool.ts';
import type { PoolWorker } from '../pool/poolWorker.ts';
import type { RecordedLie, TrustLedger } from '../pool/trustLedger.ts';
import { BadRequestError, WorkerUnknownError } from '../../http/httpErrors.ts';
import type { TokenKind, Tokens } from './tokens.ts';

export interface ModerationOptions {
  readonly pool: Pool;
  readonly bans: BanList;
  readonly trust: TrustLedger;
  readonly tokens: Tokens;
  /** Milliseconds since 1970. */
  readonly date?: () => number;
}

export interface Removal {
  /** Ids of the workers that were sent away. */
  readonly removed: readonly string[];
  readonly bans: readonly Ban[];
}

export interface RemoveOptions {
  /** Told to the worker. */
  readonly reason?: string | undefined;
  /** Also for all time: this worker, or with it all workers of its address. Without it the volunteer may join again. */
  readonly ban?: Ban['kind'] | undefined;
}

const DEFAULT_REASON = 'removed by the owner';
const DRAIN_REASON = 'drained by the owner';

export class Moderation {
  readonly #options: ModerationOptions;
  readonly #date: () => number;

  constructor(options: ModerationOptions) {
    this.#options = options;
    this.#date = options.date ?? Date.now;
  }

  /** Of workers that lied with what shows it. */
  bans(): (Ban & { readonly lies?: readonly LieSummary[] })[] {
    const { bans, trust } = this.#options;
    return bans.list().map((ban) => {
      const lies = ban.kind === 'worker' ? trust.lies(ban.value) : [];
      return lies.length === 0 ? ban : { ...ban, lies: lies.map(toldLie) };
    });
  }

  /**
   * Sends a worker away. The run that it works for goes on with the others.
   * @throws WorkerUnknownError, BadRequestError for an address that can not be banned, BanListFullError, StorageError
   */
  async remove(workerId: string, options: RemoveOptions = {}): Promise<Removal> {
    const { reason = DEFAULT_REASON, ban } = options;
    const worker = this.#options.pool.worker(workerId);
    // One that is gone can still be kept from coming back.
    if (!worker && ban !== 'worker') {
      throw new WorkerUnknownError(`There is no worker "${workerId}".`, { peer: workerId });
    }
    const banned: Ban[] = [];
    const block = ban === 'address' && worker ? bannableBlock(worker.remoteAddress) : undefined;
    if (ban !== undefined) banned.push(await this.#ban('worker', workerId, reason));
    if (block !== undefined) banned.push(await this.#ban('address', block, reason));
    const isMeant = (one: PoolWorker): boolean =>
      one.workerId === workerId || (block !== undefined && addressBlock(one.remoteAddress) === block);
    return { removed: this.#options.pool.remove(isMeant, reason), bans: banned };
  }

  /**
   * Gives a worker no more work: its run goes on without it after the round in flight. It stays in the pool, and the
   * coordinator forgets of it when it is started anew.
   * @param isDrained false gives it work again.
   * @throws WorkerUnknownError
   */
  drain(workerId: string, isDrained: boolean): void {
    if (this.#options.pool.drain(workerId, isDrained ? DRAIN_REASON : undefined)) return;
    throw new WorkerUnknownError(`There is no worker "${workerId}".`, { peer: workerId });
  }

  /**
   * Bans an address, and sends its workers away.
   * @throws BadRequestError for one that can not be banned, BanListFullError, StorageError
   */
  async banAddress(address: string, reason = DEFAULT_REASON): Promise<Removal> {
    const block = bannableBlock(address);
    const ban = await this.#ban('address', block, reason);
    const isMeant = (worker: PoolWorker): boolean => addressBlock(worker.remoteAddress) === block;
    return { removed: this.#options.pool.remove(isMeant, reason), bans: [ban] };
  }

  /**
   * Lets a worker or an address in again. A worker that lied is pardoned: its checks begin anew.
   * @returns the bans and the lies that there were.
   * @throws StorageFullError, StorageError
   */
  async lift(
    value: string,
  ): Promise<{ readonly lifted: readonly Ban[]; readonly pardoned: readonly LieSummary[] }> {
    const { pool, bans } = this.#options;
    const lies = await pool.pardon(value);
    return { lifted: await bans.lift(value), pardoned: lies.map(toldLie) };
  }

  /**
   * Puts a new token in force. Workers that joined by the old join token work on until their socket is lost; then they
   * are refused.
   * @param disconnects sends them away at once. The owner's own local workers stay.
   * @throws BadRequestError, StorageError
   */
  async rotate(
    kind: TokenKind,
    disconnects = false,
  ): Promise<{ readonly token: string; readonly removed: readonly string[] }> {
    if (kind === 'admin' && disconnects) {
      throw new BadRequestError('disconnect: goes with the join token; nobody joins by the admin token', {
        field: 'disconnect',
      });
    }
    const { pool, tokens } = this.#options;
    const token = await tokens.rotate(kind);
    const removed = disconnects ? pool.removeOutdated('the join token was changed') : [];
    return { token, removed };
  }

  async #ban(kind: Ban['kind'], value: string, reason: string): Promise<Ban> {
    const ban = { kind, value, reason, bannedAtMs: this.#date() };
    await this.#options.bans.add(ban);
    return ban;
  }
}

function toldLie({ workerId, evidence, foundAtMs }: RecordedLie): LieSummary {
  return { workerId, evidence: { ...evidence }, foundAtMs };
}

/** @throws BadRequestError */
function bannableBlock(address: string): string {
  const block = addressBlock(address);
  if (block === undefined) {
    throw new BadRequestError(`"${address.slice(0, 100)}" is no IP address that could be banned.`, {
      field: 'address',
    });
  }
  if (isLoopback(block) || block === addressBlock('::1')) {
    throw new BadRequestError(
      `${address} is this machine, whose own workers come from there. Behind a proxy, start with --trust-proxy, so that ` +
        'the addresses of volunteers are known.',
      { field: 'address' },
    );
  }
  return block;
}
