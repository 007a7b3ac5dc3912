// The tokens in force. There always are some: what the owner does not give is made, and kept in the record. A token that was
// changed is never in force again, also where the owner still gives it at the next start.

import { createHash } from 'node:crypto';
import { TabgradError } from '../../../kernels/errors.ts';
import type { Log } from '../../log/log.ts';
import { makeSecret } from '../pool/secrets.ts';

export type TokenKind = 'admin' | 'join';

/** What the record does for tokens. */
export interface TokenRecord {
  savedSetting(name: string): Promise<string | undefined>;
  /** All or none; undefined takes a setting away. */
  changeSettings(changes: Readonly<Record<string, string | undefined>>): Promise<void>;
}

class TokenInvalidError extends TabgradError {
  readonly code = 'TOKEN_INVALID';
}

/** The names of the settings that hold made tokens. */
const settings = { admin: 'adminToken', join: 'joinToken' } as const;
/** The setting that holds the hashes of tokens that were changed, newest last. */
const REPLACED = 'replacedTokens';
const MAX_REPLACED = 1_000;

export class Tokens {
  /**
   * Lets the workers in that this process starts by itself. Known to nobody else, gone with the process, and not touched
   * when the join token is changed: the owner's own workers stay.
   */
  readonly local = makeSecret();
  /** Whether the join token was made at this start: nobody has seen it yet. */
  readonly isJoinNew: boolean;
  readonly #record: TokenRecord;
  readonly #current: Record<TokenKind, string>;
  readonly #listeners = new Set<() => Promise<void>>();
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(record: TokenRecord, current: Record<TokenKind, string>, isJoinNew: boolean) {
    this.#record = record;
    this.#current = current;
    this.isJoinNew = isJoinNew;
  }

  /**
   * @param given by the owner at this start.
   * @throws TokenInvalidError, StorageFullError, StorageError
   */
  static async open(
    record: TokenRecord,
    given: { readonly [K in TokenKind]: string | undefined },
    log: Log,
  ): Promise<Tokens> {
    if (given.admin !== undefined && given.admin === given.join) {
      throw new TokenInvalidError(
        'The admin token and the join token are the same, expected two: whoever may join would be an owner.',
        { field: 'joinToken' },
      );
    }
    const replaced = await replacedHashes(record);
    const find = async (kind: TokenKind): Promise<{ token: string; isNew: boolean }> => {
      const wanted = given[kind];
      const kept = await record.savedSetting(settings[kind]);
      if (wanted !== undefined) checkToken(kind, wanted);
      if (wanted !== undefined && !replaced.has(hashOf(wanted))) {
        // One that was made for an earlier start would be in force again as soon as this one is not given any more.
        if (kept !== undefined && kept !== wanted)
          await record.changeSettings({ [settings[kind]]: undefined });
        return { token: wanted, isNew: false };
      }
      if (wanted !== undefined) {
        log({
          level: 'warn',
          message: `The ${kind} token that was given is not in force: it was changed. The one of the record is.`,
        });
      }
      if (kept !== undefined && !replaced.has(hashOf(kept))) return { token: kept, isNew: false };
      const token = makeSecret();
      await record.changeSettings({ [settings[kind]]: token });
      return { token, isNew: true };
    };
    const admin = await find('admin');
    const join = await find('join');
    return new Tokens(record, { admin: admin.token, join: join.token }, join.isNew);
  }

  /** Needed for the API. */
  get admin(): string {
    return this.#current.admin;
  }

  /** Needed to join; it is in the join link. */
  get join(): string {
    return this.#current.join;
  }

  /** Every token that lets a worker in. */
  get joining(): readonly string[] {
    return [this.#current.join, this.local];
  }

  /**
   * Puts a new token in force, and the old one out of it for good.
   * @returns the new one.
   * @throws StorageFullError, StorageError; the old one stays in force then.
   */
  rotate(kind: TokenKind): Promise<string> {
    const change = this.#changing.then(() => this.#rotate(kind));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  /** Calls back when a token was changed, and waits for it before the change counts as done; returns what ends it. */
  onChange(listener: () => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #rotate(kind: TokenKind): Promise<string> {
    const token = makeSecret();
    const hashes = [...(await replacedHashes(this.#record)), hashOf(this.#current[kind])];
    await this.#record.changeSettings({
      [settings[kind]]: token,
      [REPLACED]: JSON.stringify(hashes.slice(-MAX_REPLACED)),
    });
    this.#current[kind] = token;
    await Promise.all([...this.#listeners].map((listener) => listener()));
    return token;
  }
}

/** What a hello and a header can carry. @throws TokenInvalidError */
function checkToken(kind: TokenKind, token: string): void {
  if (/^[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(token)) return;
  throw new TokenInvalidError(
    `The ${kind} token must have 1 to 256 printable ASCII characters, without a space at either end; ` +
      `the one that was given has ${token.length} characters.`,
    { field: `${kind}Token` },
  );
}

async function replacedHashes(record: TokenRecord): Promise<Set<string>> {
  const text = await record.savedSetting(REPLACED);
  return new Set(text === undefined ? [] : (JSON.parse(text) as string[]));
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
