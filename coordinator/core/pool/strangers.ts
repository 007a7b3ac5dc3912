// What follows for workers of a pool from checks of their work. The owner's own are believed: nothing is counted of them.

import type { Admission } from './admission.ts';
import type { LieEvidence } from './lieEvidence.ts';
import { lieReason } from './lieEvidence.ts';
import type { PoolEntry } from './poolEntry.ts';
import type { PoolLog } from './poolLog.ts';
import type { OwnershipFacts, PoolOptions } from './poolOptions.ts';
import type { PoolWorker } from './poolWorker.ts';
import { TrustLedger, type RecordedLie } from './trustLedger.ts';
import { trustOf } from './workerTrust.ts';

interface PoolParts {
  readonly entries: ReadonlyMap<string, PoolEntry>;
  readonly admission: Admission;
  readonly log: PoolLog;
  /** Everybody is to see what became of the worker. */
  readonly changed: (entry: PoolEntry) => void;
  readonly sendAway: (entry: PoolEntry, reason: string) => void;
}

export class Strangers {
  readonly #parts: PoolParts;
  readonly #trust: TrustLedger;
  readonly #isOwners: (joined: OwnershipFacts) => boolean;

  constructor(options: PoolOptions, parts: PoolParts) {
    this.#parts = parts;
    this.#trust = options.trust ?? new TrustLedger(options);
    this.#isOwners = options.isOwners ?? (() => false);
  }

  /** What is known of a worker that joins. */
  factsOf(joined: OwnershipFacts): Pick<PoolWorker, 'isOwners' | 'checksPassed'> {
    const checksPassed = this.#trust.checksPassed(joined.workerId);
    return { isOwners: this.#isOwners(joined), checksPassed };
  }

  passCheck(workerId: string, count: number): void {
    if (this.#isOwn(workerId)) return;
    const checksPassed = this.#trust.pass(workerId, count);
    const entry = this.#parts.entries.get(workerId);
    if (!entry) return;
    const before = trustOf(entry.worker);
    entry.worker = { ...entry.worker, checksPassed };
    if (trustOf(entry.worker) !== before) this.#parts.changed(entry);
  }

  convict(workerId: string, evidence: LieEvidence): void {
    const { entries, admission, log, sendAway } = this.#parts;
    if (this.#isOwn(workerId)) return log.ownerAccused(workerId, lieReason(evidence));
    const reason = this.#trust.convict(workerId, evidence);
    log.convicted(workerId, reason);
    const entry = entries.get(workerId);
    if (entry) sendAway(entry, reason);
    else admission.exclude(workerId, reason);
  }

  /** @throws StorageFullError, StorageError */
  async pardon(workerId: string): Promise<readonly RecordedLie[]> {
    const lies = await this.#trust.pardon(workerId);
    this.#parts.admission.exclude(workerId, undefined);
    return lies;
  }

  #isOwn(workerId: string): boolean {
    const { entries, admission } = this.#parts;
    return entries.get(workerId)?.worker.isOwners ?? admission.wasOwners(workerId);
  }
}
