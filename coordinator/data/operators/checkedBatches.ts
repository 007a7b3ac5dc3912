// Batches that strangers map, checked now and then: what a stranger answers is held back until a later check of it comes
// out right. Where one lies, all of its answers that are still here are made again by others. Order stays, and memory is
// bounded: where much is held back, the stranger that the next batch waits for is checked at once.

import type * as arrow from 'apache-arrow';
import type { Answered, Liar, Verdict } from '../../program/checks/answerCheck.ts';
import { checkRate } from '../../core/pool/checkRate.ts';
import { StrangerRecord, type OpenCheck } from '../../program/checks/strangerRecord.ts';
import type { PlacedWorker } from '../../core/programs/programPipe.ts';
import { HeldBatch } from './heldBatch.ts';
import { PullAhead } from './pullAhead.ts';

export interface CheckedBatchesOptions {
  /** Calls that are worth having at the same time. */
  readonly calls: number;
  /** Whether what a worker answers is checked. */
  readonly isChecked: (worker: PlacedWorker) => boolean;
  /** Says of the batch how many bytes are on their way, and of how many it was answered. */
  readonly ask: (batch: HeldBatch) => Promise<Answered<arrow.RecordBatch>>;
  readonly check: (
    batch: HeldBatch,
    answer: Answered<arrow.RecordBatch>,
  ) => Promise<Verdict<arrow.RecordBatch>>;
  /** A stranger lied: it is to be asked no more. @param batch that shows it. */
  readonly lied: (liar: Liar, batch: HeldBatch) => void;
  /** @throws where the mapping is called off */
  readonly throwIfOff: () => void;
  /** Fires when it is called off. */
  readonly signal: AbortSignal;
  /** Checks of a stranger's answers came out right. */
  readonly passed: (workerId: string) => void;
  readonly told: CheckTeller;
  /** From 0 to below 1, which no worker can foresee. */
  readonly random: () => number;
  /** Default 256 MiB. */
  readonly maxHeldBytes?: number;
}

/** Is told what there is to count. */
export interface CheckTeller {
  mapped(worker: PlacedWorker, rows: number): void;
  checked(rows: number): void;
  /** Answers of a liar are made again. */
  discarded(workerId: string, rows: number): void;
  /** @param rowsGivenOn of the liar, from before its last check that came out right. */
  lied(workerId: string, rowsGivenOn: number): void;
}

const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** Batches that may be held back for each call that is worth having: twice as many as come, on average, between two checks. */
const HELD_EACH = 50;

export class CheckedBatches {
  readonly #options: CheckedBatchesOptions;
  readonly #maxBytes: number;
  /** In order, up to the next that is given on. */
  readonly #batches: HeldBatch[] = [];
  readonly #strangers = new Map<string, StrangerRecord>();
  #asked = 0;
  #nextIndex = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(options: CheckedBatchesOptions) {
    this.#options = options;
    this.#maxBytes = options.maxHeldBytes ?? MAX_HELD_BYTES;
  }

  /** The batches mapped, in order, each once. @throws what mapping or checking one throws */
  async *map(input: AsyncIterable<arrow.RecordBatch>): AsyncGenerator<arrow.RecordBatch> {
    const { throwIfOff, signal } = this.#options;
    const source = new PullAhead(input);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    let rows = 0;
    try {
      for (;;) {
        throwIfOff();
        const pulled = source.take();
        if (pulled) {
          this.#begin(new HeldBatch(pulled, this.#nextIndex++, rows));
          rows += pulled.numRows;
        }
        if (this.#failure) throw this.#failure.error;
        const [head] = this.#batches;
        if (head?.failure) throw head.failure.error;
        if (head?.state === 'good') {
          this.#batches.shift();
          yield this.#giveOn(head);
          continue;
        }
        if (!head && source.isOver) return;
        const news = new Promise<void>((resolve) => (this.#wake = resolve));
        // What comes after one that failed is not wanted any more; what comes before it still is.
        const hasFailed = this.#batches.some(({ failure }) => failure !== undefined);
        if (!hasFailed && this.#hasRoom()) source.pull(wake);
        this.#pressOn(source.isOver || hasFailed);
        await news;
      }
    } finally {
      signal.removeEventListener('abort', wake);
      await source.close();
    }
  }

  get #heldBytes(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #hasRoom(): boolean {
    const { calls } = this.#options;
    if (this.#asked >= calls) return false;
    if (this.#batches.length < calls) return true;
    const isHeldUp = this.#batches.some(({ state }) => state === 'held');
    return isHeldUp && this.#batches.length < calls * HELD_EACH && this.#heldBytes < this.#maxBytes;
  }

  /** Checks what would else wait for long, or for ever. */
  #pressOn(isOver: boolean): void {
    const [head] = this.#batches;
    const isCrowded =
      this.#batches.length > (this.#options.calls * HELD_EACH) / 2 || this.#heldBytes > this.#maxBytes / 2;
    if (isCrowded && head?.state === 'held') this.#checkAny(head.answer!.worker.workerId);
    if (!isOver || this.#asked > 0) return;
    for (const workerId of this.#strangers.keys()) this.#checkAny(workerId);
  }

  /** One of what is held back of a stranger, unless a check is under way. */
  #checkAny(workerId: string): void {
    if (this.#recordOf(workerId).hasOpenChecks) return;
    const held = this.#of(workerId).filter(({ state }) => state === 'held');
    const chosen = held[Math.floor(this.#options.random() * held.length)];
    if (chosen) this.#check(chosen);
  }

  #begin(batch: HeldBatch): void {
    this.#batches.push(batch);
    this.#ask(batch);
  }

  #ask(batch: HeldBatch): void {
    batch.ask();
    this.#asked += 1;
    this.#options.ask(batch).then(
      (answer) => {
        this.#asked -= 1;
        this.#answered(batch, answer);
        this.#wake();
      },
      (error: unknown) => {
        this.#asked -= 1;
        batch.failure = { error };
        this.#wake();
      },
    );
  }

  #answered(batch: HeldBatch, answer: Answered<arrow.RecordBatch>): void {
    const { told, random, isChecked } = this.#options;
    const { worker } = answer;
    const isStranger = isChecked(worker);
    const stranger = isStranger ? this.#recordOf(worker.workerId, worker) : undefined;
    if (stranger?.isLiar === true) return this.#ask(batch);
    told.mapped(worker, batch.batch.numRows);
    if (!stranger) return batch.take(answer, 0, 'good');
    stranger.answers += 1;
    batch.take(answer, stranger.answers, 'held');
    if (random() < checkRate(stranger.checksPassed)) this.#check(batch);
  }

  #check(batch: HeldBatch): void {
    const answer = batch.answer!;
    const open = this.#recordOf(answer.worker.workerId).begin();
    batch.isChecking = true;
    this.#options.check(batch, answer).then(
      (verdict) => {
        this.#judge(batch, answer, open, verdict);
        this.#wake();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#wake();
      },
    );
  }

  #judge(
    batch: HeldBatch,
    answer: Answered<arrow.RecordBatch>,
    open: OpenCheck,
    { outcome, value, vouchedBy, liars }: Verdict<arrow.RecordBatch>,
  ): void {
    const { workerId } = answer.worker;
    const stranger = this.#recordOf(workerId);
    batch.isChecking = false;
    if (outcome !== 'unchecked') this.#options.told.checked(batch.batch.numRows);
    for (const liar of liars) this.#convict(liar, batch);
    // Convicted by this check or by another meanwhile: the batch is made again.
    if (stranger.isLiar) return;
    if (outcome === 'unclear' || outcome === 'unchecked') {
      stranger.drop(open);
      batch.correct(value);
    } else if (vouchedBy !== undefined && this.#recordOf(vouchedBy).isLiar) {
      stranger.drop(open);
    } else {
      stranger.checksPassed += 1;
      this.#options.passed(workerId);
      open.isRight = true;
      open.vouchedBy = vouchedBy;
    }
    this.#release(workerId, stranger);
  }

  /** What a check speaks for is given on when its turn comes. */
  #release(workerId: string, stranger: StrangerRecord): void {
    const check = stranger.settle();
    if (!check) return;
    for (const batch of this.#of(workerId)) {
      if (batch.state === 'held' && batch.place <= check.answers && !batch.isChecking)
        batch.release(check.vouchedBy);
    }
  }

  #convict(liar: Liar, shows: HeldBatch): void {
    const { workerId, isOwners } = liar.worker;
    const stranger = this.#recordOf(workerId, liar.worker);
    if (stranger.isLiar) return;
    this.#options.lied(liar, shows);
    // The owner's own is believed; that it erred is on record.
    if (isOwners) return;
    stranger.isLiar = true;
    const { told } = this.#options;
    told.lied(workerId, stranger.rowsGivenOn);
    for (const batch of this.#batches) if (batch.vouchedBy === workerId) batch.holdBack();
    for (const batch of this.#of(workerId)) {
      told.discarded(workerId, batch.batch.numRows);
      this.#ask(batch);
    }
  }

  #giveOn(batch: HeldBatch): arrow.RecordBatch {
    const { worker, value } = batch.answer!;
    const stranger = this.#strangers.get(worker.workerId);
    if (stranger) stranger.rowsGivenOn += batch.batch.numRows;
    return value;
  }

  /** Batches that a worker has answered and that are still here. */
  #of(workerId: string): HeldBatch[] {
    return this.#batches.filter(({ answer }) => answer?.worker.workerId === workerId);
  }

  #recordOf(workerId: string, worker?: PlacedWorker): StrangerRecord {
    let record = this.#strangers.get(workerId);
    if (!record) {
      record = new StrangerRecord(worker?.checksPassed ?? 0);
      this.#strangers.set(workerId, record);
    }
    return record;
  }
}
