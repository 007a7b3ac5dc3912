// Passed checks and lies of workers in the record.

import type { Kysely } from 'kysely';
import type { LieEvidence } from '../pool/lieEvidence.ts';
import type { RecordedLie, TrustRecord } from '../pool/trustLedger.ts';
import { storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

/** Of one statement: databases bound the number of its parameters. */
const ROWS_AT_A_TIME = 500;

export class TrustStore implements TrustRecord {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  async checks(limit: number): Promise<Map<string, number>> {
    const latest = this.#db
      .selectFrom('worker_checks')
      .orderBy('changed_at', 'desc')
      .orderBy('worker_id')
      .limit(limit);
    return this.#try('The passed checks of workers cannot be read', async () => {
      await this.#db
        .deleteFrom('worker_checks')
        .where('worker_id', 'not in', latest.select('worker_id'))
        .execute();
      const rows = await latest.select(['worker_id', 'checks_passed']).execute();
      return new Map(rows.reverse().map((row) => [row.worker_id, row.checks_passed]));
    });
  }

  async saveChecks(checksPassed: ReadonlyMap<string, number>, changedAtMs: number): Promise<void> {
    const rows = [...checksPassed].map(([worker_id, passed]) => ({
      worker_id,
      checks_passed: passed,
      changed_at: changedAtMs,
    }));
    const kept = rows.filter(({ checks_passed: passed }) => passed > 0);
    const gone = rows.filter(({ checks_passed: passed }) => passed === 0).map((row) => row.worker_id);
    await this.#try('The passed checks of workers cannot be recorded', () =>
      this.#db.transaction().execute(async (transaction) => {
        for (const some of pieces(kept)) {
          await transaction
            .insertInto('worker_checks')
            .values(some)
            .onConflict((on) =>
              on.column('worker_id').doUpdateSet((eb) => ({
                checks_passed: eb.ref('excluded.checks_passed'),
                changed_at: eb.ref('excluded.changed_at'),
              })),
            )
            .execute();
        }
        for (const some of pieces(gone))
          await transaction.deleteFrom('worker_checks').where('worker_id', 'in', some).execute();
      }),
    );
  }

  async lies(limit: number): Promise<RecordedLie[]> {
    const latest = this.#db.selectFrom('lies').orderBy('found_at', 'desc').orderBy('lie_id').limit(limit);
    return this.#try('The lies of workers cannot be read', async () => {
      await this.#db.deleteFrom('lies').where('lie_id', 'not in', latest.select('lie_id')).execute();
      const rows = await latest.selectAll().where('pardoned_at', 'is', null).execute();
      return rows.reverse().map((row) => ({
        lieId: row.lie_id,
        workerId: row.worker_id,
        evidence: JSON.parse(row.evidence) as LieEvidence,
        foundAtMs: row.found_at,
      }));
    });
  }

  async addLie({ lieId, workerId, evidence, foundAtMs }: RecordedLie): Promise<void> {
    const row = {
      lie_id: lieId,
      worker_id: workerId,
      evidence: JSON.stringify(evidence),
      found_at: foundAtMs,
      pardoned_at: null,
    };
    await this.#try(`The lie of worker ${workerId} cannot be recorded`, () =>
      this.#db.insertInto('lies').values(row).execute(),
    );
  }

  async pardon(workerId: string, pardonedAtMs: number): Promise<void> {
    await this.#try(`The pardon of worker ${workerId} cannot be recorded`, () =>
      this.#db.transaction().execute(async (transaction) => {
        await transaction
          .updateTable('lies')
          .set({ pardoned_at: pardonedAtMs })
          .where('worker_id', '=', workerId)
          .where('pardoned_at', 'is', null)
          .execute();
        await transaction.deleteFrom('worker_checks').where('worker_id', '=', workerId).execute();
      }),
    );
  }

  async #try<T>(failure: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error, failure);
    }
  }
}

function pieces<T>(rows: readonly T[]): T[][] {
  const count = Math.ceil(rows.length / ROWS_AT_A_TIME);
  return Array.from({ length: count }, (_, i) => rows.slice(i * ROWS_AT_A_TIME, (i + 1) * ROWS_AT_A_TIME));
}
