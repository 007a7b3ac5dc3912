// A store on a database that outlives it, for the suites of both.

import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import type { RunFact } from '../../../../coordinator/core/run/runRecord.ts';
import type { Store } from '../../../../coordinator/core/store/store.ts';
import { requestOf } from './storeFacts.ts';

/** A database that outlives the stores that are opened on it. */
export interface TestDatabase {
  open(): Promise<Store>;
  /** Runs SQL while no store is open. */
  execute(sql: string): Promise<void>;
  /** Whether two can be connected at the same time, so that one has to be refused. */
  readonly hasSessions: boolean;
  remove(): Promise<void>;
}

/** One for each test of a suite. */
export class StoreWorld {
  database!: TestDatabase;
  store!: Store;

  async open(database: TestDatabase): Promise<void> {
    this.database = database;
    this.store = await database.open();
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.database.remove();
  }

  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await this.database.open();
  }

  async begin(runId: string, ...facts: RunFact[]): Promise<RunLog> {
    const log = new RunLog(this.store.runs, runId);
    await log.write([{ type: 'started', request: requestOf(runId) }, ...facts]);
    return log;
  }
}
