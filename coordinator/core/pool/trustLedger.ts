// What is known of strangers' honesty: how many checks of their work came out right, and their lies with the evidence.
// By worker id, over restarts. Checks may come out many times a second: they are written together, now and then.

import type { Clock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Log } from '../../log/log.ts';
import { MAX_BANS, type Ban, type BanList } from './banList.ts';
import { lieReason, type LieEvidence } from './lieEvidence.ts';
import { makeId } from './secrets.ts';

export interface RecordedLie {
  readonly lieId: string;
  readonly workerId: string;
  readonly evidence: LieEvidence;
  /** Milliseconds since 1970. */
  readonly foundAtMs: number;
}

/** What a database does for the ledger. */
export interface TrustRecord {
  /** By worker, those that changed last; others are forgotten. In the order of their changes. */
  checks(limit: number): Promise<ReadonlyMap<string, number>>;
  /** All or none. */
  saveChecks(checksPassed: ReadonlyMap<string, number>, changedAtMs: number): Promise<void>;
  /** That were not pardoned, the latest, oldest first; others than the latest are forgotten. */
  lies(limit: number): Promise<RecordedLie[]>;
  addLie(lie: RecordedLie): Promise<void>;
  /** The lies stay on record as pardoned ones; the checks begin anew. */
  pardon(workerId: string, pardonedAtMs: number): Promise<void>;
}

export interface TrustLedgerOptions {
  /** Absent: nothing is kept, as in simulations. */
  readonly record?: TrustRecord | undefined;
  readonly bans?: BanList | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly date?: () => number;
}

/** Strangers of whom checks are remembered: those whose last check is longest ago are forgotten. */
const MAX_CHECKED = 100_000;
/** Lies that are remembered, as many as there may be bans. */
const MAX_LIES = 10_000;
/** Beyond so many bans the oldest one of a liar makes room for the next: new names cost nothing, and the owner's own bans need places. */
const MAX_BANS_BESIDE_LIARS = MAX_BANS - 1_000;
/** Checks of so long may be forgotten by a coordinator that is killed. */
const WRITE_AFTER_MS = 2_000;
/** Until what could not be written is tried again. */
const RETRY_AFTER_MS = 30_000;

export class TrustLedger {
  readonly #options: TrustLedgerOptions;
  readonly #date: () => number;
  /** In the order of their last change. */
  readonly #checks = new Map<string, number>();
  readonly #lies = new Map<string, RecordedLie[]>();
  /** Whose checks are not on record as they are here. */
  readonly #unwritten = new Set<string>();
  #cancelWrite: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: TrustLedgerOptions) {
    this.#options = options;
    this.#date = options.date ?? Date.now;
  }

  /** With what the record has. @throws StorageFullError, StorageError */
  static async open(options: TrustLedgerOptions & { readonly record: TrustRecord }): Promise<TrustLedger> {
    const ledger = new TrustLedger(options);
    for (const [workerId, passed] of await options.record.checks(MAX_CHECKED))
      ledger.#checks.set(workerId, passed);
    for (const lie of await options.record.lies(MAX_LIES)) ledger.#remember(lie);
    ledger.#banLiars();
    return ledger;
  }

  /** Since it was first seen, or pardoned. */
  checksPassed(workerId: string): number {
    return this.#checks.get(workerId) ?? 0;
  }

  /** Lies that were not pardoned, oldest first. */
  lies(workerId: string): readonly RecordedLie[] {
    return this.#lies.get(workerId) ?? [];
  }

  /** Checks of its work came out right. Those of a liar do not count. @returns how many it has passed. */
  pass(workerId: string, count: number): number {
    if (this.#lies.has(workerId)) return 0;
    const passed = this.checksPassed(workerId) + count;
    this.#checks.delete(workerId);
    this.#checks.set(workerId, passed);
    if (this.#checks.size > MAX_CHECKED) this.#forgetOldest();
    this.#unwritten.add(workerId);
    this.#writeLater(WRITE_AFTER_MS);
    return passed;
  }

  /**
   * It lied: the evidence goes on record, its checks are void, and it is banned. What can not be recorded is logged.
   * @returns the reason of the ban.
   */
  convict(workerId: string, evidence: LieEvidence): string {
    const { record } = this.#options;
    const reason = lieReason(evidence);
    const lie = { lieId: makeId(), workerId, evidence, foundAtMs: this.#date() };
    this.#remember(lie);
    this.#setUnchecked(workerId);
    this.#write(`The lie of worker ${workerId} could not be recorded`, async () => record?.addLie(lie));
    this.#banLater(lie);
    return reason;
  }

  /** A coordinator that was killed may have recorded a lie and no ban. */
  #banLiars(): void {
    const { bans } = this.#options;
    for (const [lie] of this.#lies.values())
      if (lie && bans && bans.size < MAX_BANS_BESIDE_LIARS && !bans.find(lie.workerId, ''))
        this.#banLater(lie);
  }

  #banLater({ workerId, evidence, foundAtMs }: RecordedLie): void {
    const reason = lieReason(evidence);
    this.#write(`Worker ${workerId} lied (${reason}) and could not be banned`, () =>
      this.#ban({ kind: 'worker', value: workerId, reason, bannedAtMs: foundAtMs }),
    );
  }

  async #ban(ban: Ban): Promise<void> {
    const { bans } = this.#options;
    if (bans && bans.size >= MAX_BANS_BESIDE_LIARS) {
      const isOfLiar = ({ kind, value }: Ban): boolean => kind === 'worker' && this.#lies.has(value);
      const oldest = bans.list().find((one) => isOfLiar(one) && one.value !== ban.value);
      if (oldest) await bans.lift(oldest.value);
    }
    await bans?.add(ban);
  }

  /**
   * Its lies count no more, and its checks begin anew.
   * @returns the lies that there were.
   * @throws StorageFullError, StorageError; they count on then.
   */
  async pardon(workerId: string): Promise<readonly RecordedLie[]> {
    const lies = this.lies(workerId);
    if (lies.length === 0) return [];
    // A lie that is still on its way into the record would be there after the pardon.
    await this.#writing;
    await this.#options.record?.pardon(workerId, this.#date());
    this.#lies.delete(workerId);
    this.#setUnchecked(workerId);
    return lies;
  }

  /** Writes what is not on record yet. */
  async close(): Promise<void> {
    this.#writeChecks();
    await this.#writing;
    this.#cancelWrite?.();
  }

  #remember(lie: RecordedLie): void {
    const { workerId } = lie;
    this.#lies.set(workerId, [...this.lies(workerId), lie]);
    if (this.#lies.size <= MAX_LIES) return;
    for (const oldest of this.#lies.keys()) {
      this.#lies.delete(oldest);
      break;
    }
  }

  #setUnchecked(workerId: string): void {
    if (!this.#checks.delete(workerId)) return;
    this.#unwritten.add(workerId);
    this.#writeLater(WRITE_AFTER_MS);
  }

  #forgetOldest(): void {
    for (const oldest of this.#checks.keys()) {
      this.#checks.delete(oldest);
      this.#unwritten.delete(oldest);
      break;
    }
  }

  #writeLater(delayMs: number): void {
    if (this.#options.record)
      this.#cancelWrite ??= this.#options.clock.after(delayMs, () => this.#writeChecks());
  }

  #writeChecks(): void {
    const { record } = this.#options;
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    if (!record || this.#unwritten.size === 0) return;
    const changes = new Map([...this.#unwritten].map((workerId) => [workerId, this.checksPassed(workerId)]));
    this.#unwritten.clear();
    this.#write('Passed checks of workers could not be recorded', async () => {
      try {
        await record.saveChecks(changes, this.#date());
      } catch (error) {
        for (const workerId of changes.keys()) this.#unwritten.add(workerId);
        this.#writeLater(RETRY_AFTER_MS);
        throw error;
      }
    });
  }

  /** One after the other: of two of the same worker the later one holds. */
  #write(failure: string, write: () => Promise<unknown>): void {
    this.#writing = this.#writing.then(write).then(
      () => undefined,
      (error: unknown) => this.#options.log({ level: 'error', message: `${failure}: ${messageOf(error)}` }),
    );
  }
}
