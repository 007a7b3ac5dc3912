// Served applications in the record: what was deployed, so that a restart brings it back.

import type { Kysely } from 'kysely';
import type { ApplicationStatus, RecordedApplication, ServeRecord } from './serveRecord.ts';
import { storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

export class DeploymentStore implements ServeRecord {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  save(application: RecordedApplication): Promise<void> {
    const { name, recipe, deployments } = application;
    const columns = {
      route_prefix: application.routePrefix,
      model_name: application.modelName,
      recipe: JSON.stringify(recipe),
      status: application.status,
      message: application.message,
      deployed_at: application.deployedAtMs,
    };
    const rows = deployments.map((deployment, position) => ({
      application: name,
      name: deployment.name,
      position,
      version: deployment.version ?? null,
      replicas: deployment.replicas,
    }));
    return this.#write(name, () =>
      this.#db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('applications')
          .values({ name, ...columns })
          .onConflict((on) => on.column('name').doUpdateSet(columns))
          .execute();
        await transaction.deleteFrom('deployments').where('application', '=', name).execute();
        if (rows.length > 0) await transaction.insertInto('deployments').values(rows).execute();
      }),
    );
  }

  setStatus(name: string, status: ApplicationStatus, message: string): Promise<void> {
    return this.#write(name, async () => {
      await this.#db.updateTable('applications').set({ status, message }).where('name', '=', name).execute();
    });
  }

  remove(name: string): Promise<void> {
    return this.#write(name, () =>
      this.#db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('deployments').where('application', '=', name).execute();
        await transaction.deleteFrom('applications').where('name', '=', name).execute();
      }),
    );
  }

  async all(): Promise<RecordedApplication[]> {
    const rows = await this.#db
      .selectFrom('applications')
      .selectAll()
      .orderBy('deployed_at')
      .orderBy('name')
      .execute();
    const deployments = await this.#db.selectFrom('deployments').selectAll().orderBy('position').execute();
    return rows.map((row) => ({
      name: row.name,
      routePrefix: row.route_prefix,
      modelName: row.model_name,
      recipe: JSON.parse(row.recipe) as RecordedApplication['recipe'],
      status: row.status as ApplicationStatus,
      message: row.message,
      deployedAtMs: row.deployed_at,
      deployments: deployments
        .filter(({ application }) => application === row.name)
        .map(({ name, version, replicas }) => ({ name, version: version ?? undefined, replicas })),
    }));
  }

  async #write(name: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw storeFailure(error, `Application "${name}" cannot be recorded`);
    }
  }
}
