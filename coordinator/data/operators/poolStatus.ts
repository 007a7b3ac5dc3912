// How mapping on a pool goes, as its owner is told.

import type { PlacedWorker } from '../../core/programs/programPipe.ts';
import type { InstancesStatus } from '../../program/programInstances.ts';
import type { CheckTeller } from './checkedBatches.ts';

/** How mapping on a pool goes. */
export interface PoolStatus extends InstancesStatus {
  /** Rows mapped so far, by worker; those that a liar had mapped and that are made again do not count. */
  readonly rows: ReadonlyMap<string, number>;
  readonly checks: PoolChecks;
}

/** What was computed again of what strangers answered. */
export interface PoolChecks {
  readonly batches: number;
  readonly rows: number;
  /** Workers that lied. */
  readonly liars: readonly string[];
  /** Rows of theirs that were mapped again by others. */
  readonly rowsAgain: number;
  /**
   * Rows of theirs that had been given on before: checks before the one that found the lie had come out right, of other
   * batches. They may be wrong.
   */
  readonly rowsGivenOn: number;
}

export class StatusTeller implements CheckTeller {
  readonly #onStatus: ((status: PoolStatus) => void) | undefined;
  readonly #rows = new Map<string, number>();
  readonly #liars = new Set<string>();
  #checks = { batches: 0, rows: 0, rowsAgain: 0, rowsGivenOn: 0 };
  #instances: InstancesStatus = { workers: [], waiting: undefined };

  constructor(onStatus: ((status: PoolStatus) => void) | undefined) {
    this.#onStatus = onStatus;
  }

  instancesAre(instances: InstancesStatus): void {
    this.#instances = instances;
    this.#tell();
  }

  mapped({ workerId }: PlacedWorker, rows: number): void {
    this.#rows.set(workerId, (this.#rows.get(workerId) ?? 0) + rows);
    this.#tell();
  }

  checked(rows: number): void {
    this.#checks.batches += 1;
    this.#checks.rows += rows;
    this.#tell();
  }

  lied(workerId: string, rowsGivenOn: number): void {
    this.#liars.add(workerId);
    this.#checks.rowsGivenOn += rowsGivenOn;
    this.#tell();
  }

  discarded(workerId: string, rows: number): void {
    this.#rows.set(workerId, (this.#rows.get(workerId) ?? 0) - rows);
    this.#checks.rowsAgain += rows;
    this.#tell();
  }

  #tell(): void {
    this.#onStatus?.({
      ...this.#instances,
      rows: this.#rows,
      checks: { ...this.#checks, liars: [...this.#liars] },
    });
  }
}
