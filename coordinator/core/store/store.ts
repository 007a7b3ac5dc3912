// The coordinator's durable record in SQL: what was written here is there after a kill -9. One query builder over two
// dialects; everything that differs between them is in the dialects.

import type { Dialect } from 'kysely';
import { Kysely, Migrator, PostgresDialect } from 'kysely';
import { BanStore } from './banStore.ts';
import { DatasetStore } from './datasetStore.ts';
import { DeploymentStore } from './deploymentStore.ts';
import { ExperimentStore } from './experimentStore.ts';
import { migrations } from './migrations/migrations.ts';
import { currentSchema } from './postgresDialect.ts';
import { RunStore } from './runStore.ts';
import { ServingStore } from './servingStore.ts';
import { InvitationStore } from './invitationStore.ts';
import { TrustStore } from './trustStore.ts';
import { StorageVersionError, storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

export class Store {
  readonly runs: RunStore;
  readonly deployments: DeploymentStore;
  readonly experiments: ExperimentStore;
  readonly bans: BanStore;
  readonly datasets: DatasetStore;
  readonly serving: ServingStore;
  readonly trust: TrustStore;
  readonly invitations: InvitationStore;
  readonly #db: Kysely<StoreSchema>;
  readonly #place: string;

  private constructor(db: Kysely<StoreSchema>, place: string, pause?: (ms: number) => Promise<void>) {
    this.#db = db;
    this.#place = place;
    this.runs = new RunStore(db, pause);
    this.deployments = new DeploymentStore(db);
    this.experiments = new ExperimentStore(db);
    this.bans = new BanStore(db);
    this.datasets = new DatasetStore(db);
    this.serving = new ServingStore(db);
    this.trust = new TrustStore(db);
    this.invitations = new InvitationStore(db);
  }

  /**
   * Opens the record, bringing its schema up to date.
   * @param place what errors call it: the file or the address, without a password.
   * @param pause waits before a write is tried again after the connection broke off.
   * @throws StorageInUseError, StorageVersionError, StorageFullError, StorageError
   */
  static async open(dialect: Dialect, place: string, pause?: (ms: number) => Promise<void>): Promise<Store> {
    const db = new Kysely<StoreSchema>({ dialect });
    const store = new Store(db, place, pause);
    try {
      await store.#migrate(dialect);
      return store;
    } catch (error) {
      await db.destroy().catch(() => undefined);
      throw storeFailure(error, `The record ${place} cannot be opened`);
    }
  }

  async #migrate(dialect: Dialect): Promise<void> {
    const provider = { getMigrations: () => Promise.resolve(migrations) };
    // Other programs, and other coordinators, may keep tables of the same names in other schemas of the database.
    const schema = dialect instanceof PostgresDialect ? await currentSchema(this.#db) : undefined;
    const { error } = await new Migrator({
      db: this.#db,
      provider,
      ...(schema !== undefined && { migrationTableSchema: schema }),
    }).migrateToLatest();
    if (error === undefined) return;
    if (/previously executed migration/.test((error as Error).message)) {
      throw new StorageVersionError(
        `The record ${this.#place} was written by a later version of tabgrad: use that one, or another folder.`,
        {},
        { cause: error },
      );
    }
    throw error;
  }

  /** The setting called `name`; made by `make` and kept when there is none. */
  async setting(name: string, make: () => string): Promise<string> {
    try {
      const added = { name, value: make() };
      await this.#db
        .insertInto('settings')
        .values(added)
        .onConflict((on) => on.doNothing())
        .execute();
      const row = await this.#db
        .selectFrom('settings')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      return row.value;
    } catch (error) {
      throw storeFailure(error, `The setting "${name}" cannot be kept in ${this.#place}`);
    }
  }

  /** The setting called `name`, if there is one. */
  async savedSetting(name: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('settings')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.value;
  }

  /** Sets settings, all or none; undefined takes one away. @throws StorageFullError, StorageError */
  async changeSettings(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    try {
      await this.#db.transaction().execute(async (transaction) => {
        for (const [name, value] of Object.entries(changes)) {
          await transaction.deleteFrom('settings').where('name', '=', name).execute();
          if (value !== undefined) await transaction.insertInto('settings').values({ name, value }).execute();
        }
      });
    } catch (error) {
      const names = Object.keys(changes).join(', ');
      throw storeFailure(error, `The settings ${names} cannot be kept in ${this.#place}`);
    }
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}
