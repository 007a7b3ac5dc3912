// What servers told last of their applications, in the record.

import type { Kysely } from 'kysely';
import type { ServingReport } from '../../../shared/api/servingAnswers.ts';
import type { HeardReport } from './heardReport.ts';
import { storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

export class ServingStore {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  /** @throws StorageFullError, StorageError */
  async save(name: string, { report, address, heardAtMs }: HeardReport): Promise<void> {
    const columns = { report: JSON.stringify(report), address, heard_at: heardAtMs };
    await this.#write(name, () =>
      this.#db
        .insertInto('serving')
        .values({ name, ...columns })
        .onConflict((on) => on.column('name').doUpdateSet(columns))
        .execute(),
    );
  }

  /** None is no error. @throws StorageFullError, StorageError */
  async remove(name: string): Promise<void> {
    await this.#write(name, () => this.#db.deleteFrom('serving').where('name', '=', name).execute());
  }

  /** By name, the ones that were heard last. */
  async all(limit: number): Promise<Map<string, HeardReport>> {
    const rows = await this.#db
      .selectFrom('serving')
      .selectAll()
      .orderBy('heard_at', 'desc')
      .limit(limit)
      .execute();
    return new Map(
      rows.map(({ name, report, address, heard_at: heardAtMs }) => [
        name,
        { report: JSON.parse(report) as ServingReport, address, heardAtMs },
      ]),
    );
  }

  async #write(name: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw storeFailure(error, `What application "${name}" told cannot be recorded`);
    }
  }
}
