// How a batch that a stranger has mapped is computed again, and what becomes of a liar.

import type * as arrow from 'apache-arrow';
import { AbortedError } from '../../../kernels/errors.ts';
import { delay, systemClock } from '../../../shared/clock.ts';
import type { BatchFormat } from '../../../shared/columns/batchFormats.ts';
import { callOnBatch } from '../../../shared/columns/callOnBatch.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import type { CheckResults } from '../../core/programs/checkResults.ts';
import { checkAnswer, type Answered, type Liar, type Verdict } from '../../program/checks/answerCheck.ts';
import type { ComputedHere, Program } from '../../program/program.ts';
import type { ProgramInstances } from '../../program/programInstances.ts';
import { compareBatches } from './compareBatches.ts';
import type { HeldBatch } from './heldBatch.ts';
import { readMapped } from './readMapped.ts';

export interface BatchChecksOptions {
  readonly program: Program;
  readonly format: BatchFormat;
  /** Names the mapping in the evidence. */
  readonly label: string;
  readonly instances: Pick<ProgramInstances, 'callAnother' | 'exclude'>;
  readonly results: CheckResults;
  readonly random: () => number;
  /** Nothing more is computed. */
  readonly signal: AbortSignal;
}

/** What is held back waits for whom a check was given to so long; then this process computes it. */
const CHECK_WAIT_MS = 30_000;
/** At the end, for the coordinator to be told what the last checks showed. */
const TELL_WAIT_MS = 5_000;

export class BatchChecks {
  readonly #options: BatchChecksOptions;
  /** Checks that came out right and are not told, by worker. */
  readonly #passed = new Map<string, number>();
  readonly #telling = new Set<Promise<void>>();
  #here: ComputedHere | undefined;
  /** One batch at a time is computed here. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: BatchChecksOptions) {
    this.#options = options;
  }

  /** @throws AnswersDifferError; what computing throws */
  check(held: HeldBatch, answer: Answered<arrow.RecordBatch>): Promise<Verdict<arrow.RecordBatch>> {
    const { program, instances, format, random } = this.#options;
    const { predicts, openHere } = program;
    return checkAnswer(held, answer, {
      askAnother: (asked, not) =>
        instances.callAnother(
          'call',
          [asked.sent(true), format],
          (said) => readMapped(said, asked.batch, predicts),
          { not, random, waitMs: openHere && CHECK_WAIT_MS },
        ),
      compute: openHere && ((asked) => this.#compute(asked.batch, openHere)),
      compare: (said, right) => compareBatches(said, right, predicts),
      random,
    });
  }

  lied({ worker, difference, isProven }: Liar, { index, first, last }: HeldBatch): void {
    const { instances, results, label } = this.#options;
    const { where, claimed, found } = difference;
    instances.exclude(worker.workerId, 'it lied');
    if (!isProven) return;
    const what = `${label}: of batch ${index} (rows ${first} to ${last}) it said what is not so, in ${where}`;
    // Should the coordinator be out of reach, it is asked no more here all the same.
    this.#keep(results.convict(worker.workerId, { what, claimed, found }));
  }

  passed(workerId: string): void {
    const isTelling = this.#passed.size > 0;
    this.#passed.set(workerId, (this.#passed.get(workerId) ?? 0) + 1);
    if (!isTelling) this.#keep(this.#tellPassed());
  }

  /** Resolves when the coordinator was told all that there is to tell, or is out of reach. */
  async told(): Promise<void> {
    const over = new AbortController();
    await Promise.race([Promise.all(this.#telling), delay(systemClock, TELL_WAIT_MS, over.signal)]);
    over.abort();
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    await this.#here?.close?.();
  }

  /** One worker after the other: checks that come out right meanwhile are told together. */
  async #tellPassed(): Promise<void> {
    for (const [workerId, count] of this.#passed) {
      await this.#options.results.passed(workerId, count).catch(() => undefined);
      const more = this.#passed.get(workerId)! - count;
      this.#passed.delete(workerId);
      // To the end of the map, which is gone through up to there.
      if (more > 0) this.#passed.set(workerId, more);
    }
  }

  #keep(telling: Promise<void>): void {
    const kept = telling.catch(() => undefined);
    this.#telling.add(kept);
    void kept.then(() => this.#telling.delete(kept));
  }

  #compute(batch: arrow.RecordBatch, open: () => ComputedHere): Promise<arrow.RecordBatch> {
    const computed = this.#turn.then(async () => {
      const { signal, format, label, program } = this.#options;
      if (signal.aborted) throw new AbortedError(`${label} is over.`);
      const here = (this.#here ??= open());
      const mapped = await callOnBatch((given) => here.call(given as never), batch, {
        format,
        label,
        strings: new DictionaryStrings(),
      });
      return readMapped(bytesOfBatch(mapped), batch, program.predicts);
    });
    this.#turn = computed.catch(() => undefined);
    return computed;
  }
}
