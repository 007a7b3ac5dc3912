// A batch from when it is read until it is given on, mapped.

import type * as arrow from 'apache-arrow';
import { batchOfBytes, bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import type { Answered } from '../../program/checks/answerCheck.ts';

export class HeldBatch {
  /** As it was read; once it was sent and is kept, as it was sent. */
  batch: arrow.RecordBatch;
  readonly index: number;
  /** Number of its first row. */
  readonly first: number;
  /** "held" is answered by a stranger for whom no check speaks yet. */
  state: 'asked' | 'held' | 'good' = 'asked';
  answer: Answered<arrow.RecordBatch> | undefined;
  /** Of the batch and its answer. */
  bytes = 0;
  /** Which of its stranger's answers it is, counted from 1. */
  place = 0;
  isChecking = false;
  failure: { readonly error: unknown } | undefined;
  /** The stranger on whose word it is taken for good. */
  vouchedBy: string | undefined;
  #sent: Uint8Array | undefined;

  constructor(batch: arrow.RecordBatch, index: number, first: number) {
    this.batch = batch;
    this.index = index;
    this.first = first;
  }

  /**
   * What a worker is sent.
   * @param isKept so that the same is sent and computed again later, whatever its source does with its memory.
   */
  sent(isKept: boolean): Uint8Array {
    if (this.#sent) return this.#sent;
    const sent = bytesOfBatch(this.batch);
    this.bytes = sent.byteLength;
    if (!isKept) return sent;
    this.#sent = sent;
    this.batch = batchOfBytes(sent);
    return sent;
  }

  get last(): number {
    return this.first + this.batch.numRows - 1;
  }

  /** It is asked for, again where it was answered before. */
  ask(): void {
    this.state = 'asked';
    this.answer = undefined;
    this.isChecking = false;
    this.vouchedBy = undefined;
  }

  take(answer: Answered<arrow.RecordBatch>, place: number, state: 'held' | 'good'): void {
    this.answer = answer;
    this.place = place;
    this.state = state;
  }

  release(vouchedBy: string | undefined): void {
    this.state = 'good';
    this.vouchedBy = vouchedBy;
  }

  /** Whose word it was is a liar. */
  holdBack(): void {
    this.state = 'held';
    this.vouchedBy = undefined;
  }

  /** What was computed in this process takes the answer's place. */
  correct(value: arrow.RecordBatch): void {
    this.answer = { ...this.answer!, value };
    this.release(undefined);
  }
}
