// Bans in the record.

import type { Kysely } from 'kysely';
import type { Ban, BanRecord } from '../pool/banList.ts';
import { storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

export class BanStore implements BanRecord {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  async all(): Promise<Ban[]> {
    const rows = await this.#db
      .selectFrom('bans')
      .selectAll()
      .orderBy('banned_at')
      .orderBy('value')
      .execute();
    return rows.map(({ kind, value, reason, banned_at }) => ({
      kind: kind as Ban['kind'],
      value,
      reason,
      bannedAtMs: banned_at,
    }));
  }

  async save({ kind, value, reason, bannedAtMs }: Ban): Promise<void> {
    const columns = { reason, banned_at: bannedAtMs };
    try {
      await this.#db
        .insertInto('bans')
        .values({ kind, value, ...columns })
        .onConflict((on) => on.columns(['kind', 'value']).doUpdateSet(columns))
        .execute();
    } catch (error) {
      throw storeFailure(error, `The ban of ${kind} ${value} cannot be recorded`);
    }
  }

  async remove({ kind, value }: Pick<Ban, 'kind' | 'value'>): Promise<void> {
    try {
      await this.#db.deleteFrom('bans').where('kind', '=', kind).where('value', '=', value).execute();
    } catch (error) {
      throw storeFailure(error, `The ban of ${kind} ${value} cannot be lifted`);
    }
  }
}
