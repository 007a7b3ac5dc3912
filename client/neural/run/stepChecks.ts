// Checks of steps at one member. Each member draws for itself, after all have said what they sent, whether a step is checked: who
// lies in a step can not know it before.

import type { Collective } from '../../../shared/collective/collective.ts';
import {
  PeerContradictionError,
  PeerMessageError,
  readFromPeer,
} from '../../../shared/collective/peerMessage.ts';
import type { StepDispute } from '../../../shared/protocol/stepDispute.ts';
import { whenAborted } from '../../../shared/whenAborted.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';
import { agreedWishes, readWishes, wishBits, type StepWishes } from './agreeOnStep.ts';
import { checkStep } from './checkStep.ts';
import { plainSum, type Combine } from './combine.ts';
import { contradictions } from './contradictions.ts';
import { joinDigests } from './pieceDigests.ts';
import { PieceSum, type ExchangedBucket } from './pieceSum.ts';
import type { CheckedWork, UnappliedStep } from './redoneWork.ts';
import { decodeWord, encodeWord, wordBytes, type StepWord } from './stepWord.ts';

/** Calls that chance gives nobody: a member that asks for more than this many times its share, and some, is named. */
const MOST_CALLS_OF_SHARE = 8;
const CALLS_ALLOWED = 16;

export interface StepChecksOptions {
  readonly runId: string;
  readonly context: Pick<GenerationContext, 'collective' | 'environment' | 'generation' | 'signal'>;
  readonly work: CheckedWork;
  /** One step in so many is checked, on average. */
  readonly everySteps: number;
  /** All members compute the same bits. */
  readonly isExact: boolean;
  /** In [0, 1); not to be guessed by others. */
  readonly random: () => number;
  readonly combine?: (step: UnappliedStep) => Combine;
}

export class StepChecks {
  readonly sum: PieceSum;
  readonly #options: StepChecksOptions;
  readonly #collective: Collective;
  /** By rank, in this generation. */
  readonly #calls: number[];
  #combine: Combine = plainSum;
  #steps = 0;
  #passed = 0;
  #toldPassed = 0;

  constructor(options: StepChecksOptions) {
    const { context, work } = options;
    const { collective, signal } = context;
    this.#options = options;
    this.#collective = collective;
    this.#calls = collective.members.map(() => 0);
    this.sum = new PieceSum({
      codec: work.codec,
      collective,
      signal,
      combine: () => this.#combine,
      isDigested: true,
    });
  }

  begin(step: UnappliedStep): void {
    this.#combine = this.#options.combine?.(step) ?? plainSum;
  }

  /**
   * Between the exchange of a step and its update: members say what they sent and what they want of the next step, and the step is
   * checked if one of them says so.
   * @returns the wishes of most members.
   * @throws PeerContradictionError where they contradict this one; AbortedError where a check found a lie, after the coordinator was told.
   */
  async afterExchange(step: UnappliedStep, wishes: StepWishes): Promise<StepWishes> {
    const exchanged = this.sum.take();
    const words = await this.#speak(exchanged, wishes);
    this.#steps += 1;
    const seed = this.#seedOf(words);
    if (seed > 0) await this.#check(step, words, exchanged, seed);
    return agreedWishes(words.map((word) => word.wishes));
  }

  /** How many checks found nothing, for the coordinator, where that is news. */
  tellPassed(round: number): void {
    if (this.#passed === this.#toldPassed) return;
    this.#toldPassed = this.#passed;
    const { runId, context } = this.#options;
    const { environment, generation } = context;
    environment.send({ type: 'checkedSteps', runId, generation, round, passed: this.#passed });
  }

  async #speak(exchanged: readonly ExchangedBucket[], wishes: StepWishes): Promise<StepWord[]> {
    const { everySteps, random, context } = this.#options;
    const { size } = this.#collective;
    const digests = await Promise.all(exchanged.map((bucket) => bucket.digests));
    const byPart = (of: 'sent' | 'received' | 'sums'): string[] =>
      Array.from({ length: size }, (_, part) => joinDigests(digests.map((bucket) => bucket[of][part]!)));
    // Drawn when nothing of the step can be changed any more. Sums that are not finite are always looked at.
    const isCalled = random() * everySteps * size < 1 || !exchanged.every(({ sum }) => isFinite32(sum));
    const own: StepWord = {
      wishes: wishBits(wishes),
      seed: isCalled ? 1 + Math.floor(random() * 0xffff_ffff) : 0,
      sent: byPart('sent'),
      received: byPart('received'),
      sums: byPart('sums'),
    };
    const told = await this.#collective.allGather(encodeWord(own), {
      signal: context.signal,
      maxBytes: wordBytes(size),
    });
    const words = told.map((bytes, from) =>
      readFromPeer(this.#collective, from, () => {
        readWishes(bytes.subarray(0, 1));
        return decodeWord(bytes, size);
      }),
    );
    await this.#compare(words);
    return words;
  }

  /** A step in which members contradict one another is not applied. Those who do say of whom; the others wait for the end. */
  async #compare(words: readonly StepWord[]): Promise<void> {
    const { rank, members } = this.#collective;
    const found = contradictions(words);
    if (found.length === 0) return;
    const others = found.flatMap(({ sender, receiver }) =>
      sender === rank ? [receiver] : receiver === rank ? [sender] : [],
    );
    const ids = [...new Set(others)].map((other) => members[other]!);
    if (ids.length > 0)
      throw new PeerContradictionError(
        `Worker ${ids.join(', ')} sent something else than it says, or says so`,
        ids,
      );
    const { context } = this.#options;
    const involved = [...new Set(found.flatMap(({ sender, receiver }) => [sender, receiver]))];
    await Promise.race([whenAborted(context.signal), this.#patience(involved.map((one) => members[one]!))]);
  }

  /** Where those who contradict one another do not say so. */
  async #patience(ids: readonly string[]): Promise<never> {
    // A gather that they do not take part in ends with its deadline.
    await this.#collective.barrier({ signal: this.#options.context.signal });
    throw new PeerMessageError(`Worker ${ids.join(' and ')} contradict each other`, ids);
  }

  /** Of the first rank that calls for a check; 0 where none does. */
  #seedOf(words: readonly StepWord[]): number {
    const { everySteps } = this.#options;
    const { size, members } = this.#collective;
    for (const [rank, { seed }] of words.entries()) if (seed > 0) this.#calls[rank]! += 1;
    const most = CALLS_ALLOWED + (MOST_CALLS_OF_SHARE * this.#steps) / (everySteps * size);
    const callers = members.filter((_, rank) => this.#calls[rank]! > most);
    // Where all call, sums were not finite.
    if (callers.length > 0 && callers.length < size)
      throw new PeerMessageError(`Worker ${callers.join(', ')} calls for checks all the time`, callers);
    return words.find(({ seed }) => seed > 0)?.seed ?? 0;
  }

  async #check(
    step: UnappliedStep,
    words: readonly StepWord[],
    exchanged: readonly ExchangedBucket[],
    seed: number,
  ): Promise<void> {
    const { work, isExact, context } = this.#options;
    const combine = this.#combine;
    const check = { collective: this.#collective, work, step, words, seed, exchanged, combine, isExact };
    const dispute = await checkStep(check);
    if (dispute) {
      this.#tell(step.step, dispute);
      // The coordinator decides, and ends the generation.
      await whenAborted(context.signal);
    }
    this.#passed += 1;
    work.engine.clear();
    for (const [bucket, { sum }] of exchanged.entries()) work.engine.writeBucket(bucket, sum);
  }

  #tell(round: number, dispute: StepDispute): void {
    const { runId, context } = this.#options;
    const { environment, generation } = context;
    environment.send({ type: 'checkedSteps', runId, generation, round, passed: this.#passed, dispute });
  }
}

function isFinite32(values: Float32Array): boolean {
  // A sum of finite floats may overflow a float; in 64 bits that takes more than there are.
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += Math.abs(values[at]!);
  return Number.isFinite(sum);
}
