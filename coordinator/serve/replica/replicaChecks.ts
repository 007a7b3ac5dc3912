// Answers of strangers' replicas, computed again now and then after callers have them: by a replica on another worker, and
// where the two differ by a thread beside the server. What a caller was told can not be taken back; it is counted.

import { AbortedError } from '../../../kernels/errors.ts';
import { delay, systemClock, type Clock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { CheckResults } from '../../core/programs/checkResults.ts';
import type { PlacedWorker } from '../../core/programs/programPipe.ts';
import { secretRandom } from '../../core/pool/secrets.ts';
import type { Log } from '../../log/log.ts';
import { checkAnswer, type Answered, type Difference, type Liar } from '../../program/checks/answerCheck.ts';
import { checkRate } from '../../core/pool/checkRate.ts';
import type { CheckCounts } from './checkCounts.ts';
import type { Replica } from './replica.ts';

export interface ReplicaChecksOptions<Q, A> {
  readonly deployment: string;
  readonly results: CheckResults;
  readonly log: Log;
  /** The same model beside the server; it takes the op "rows". */
  readonly openHere: () => Replica;
  /** The arguments of "rows". */
  readonly argsOf: (question: Q) => readonly unknown[];
  readonly compare: (said: A, right: A) => Difference | undefined;
  /** From 0 to below 1. Default secret. */
  readonly random?: () => number;
  readonly clock?: Clock;
}

/** A replica that runs. */
export interface CheckedReplica<Q, A> {
  readonly worker: PlacedWorker;
  ask(question: Q): Promise<A>;
  /** Its worker is to be asked no more. */
  end(reason: string): void;
}

interface Conduct {
  checksPassed: number;
  answers: number;
  /** The last answer that a check speaks for. */
  goodUpTo: number;
}

/** Checks at a time: their questions and answers are kept in memory. Beyond so many none is made. */
const MOST_CHECKS = 8;
/** For another worker to answer; then this machine does. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Workers that are remembered; those longest known are forgotten. */
const MOST_KNOWN = 10_000;

export class ReplicaChecks<Q, A> {
  readonly counts: CheckCounts = { checks: 0, liars: 0, suspectAnswers: 0 };
  readonly #options: ReplicaChecksOptions<Q, A>;
  readonly #random: () => number;
  readonly #replicas = new Set<CheckedReplica<Q, A>>();
  readonly #conducts = new Map<string, Conduct>();
  readonly #liars = new Set<string>();
  #here: Replica | undefined;
  #underWay = 0;
  /** Whether it was told that checks fail, since the last that did not. */
  #isFailing = false;

  constructor(options: ReplicaChecksOptions<Q, A>) {
    this.#options = options;
    this.#random = options.random ?? secretRandom;
  }

  /** @returns says that it is gone. */
  join(replica: CheckedReplica<Q, A>): () => void {
    this.#replicas.add(replica);
    return () => {
      this.#replicas.delete(replica);
      if (this.#replicas.size === 0) this.#closeHere();
    };
  }

  /**
   * A stranger is about to be asked, and can not know whether its answer will be computed again.
   * @returns takes its answer, once the caller has it.
   */
  draw(worker: PlacedWorker, question: Q): (value: A) => void {
    if (worker.isOwners) return () => undefined;
    const { checksPassed } = this.#conductOf(worker);
    const isChosen = this.#underWay < MOST_CHECKS && this.#random() < checkRate(checksPassed);
    // The caller may change its arrays as soon as they were sent.
    const asked = isChosen ? structuredClone(question) : undefined;
    return (value) => {
      const { workerId } = worker;
      if (this.#liars.has(workerId)) {
        this.counts.suspectAnswers += 1;
        return;
      }
      const conduct = this.#conductOf(worker);
      conduct.answers += 1;
      if (asked !== undefined) void this.#checkLater(asked, { worker, value }, conduct.answers);
    };
  }

  async #checkLater(question: Q, answer: Answered<A>, number: number): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#check(question, answer, number);
      this.#isFailing = false;
    } catch (error) {
      if (error instanceof AbortedError || this.#isFailing) return;
      this.#isFailing = true;
      this.#tell(`answers can not be checked: ${messageOf(error)}`);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #check(question: Q, answer: Answered<A>, number: number): Promise<void> {
    const { workerId } = answer.worker;
    if (this.#liars.has(workerId)) return;
    const verdict = await checkAnswer(question, answer, {
      askAnother: (asked, not) => this.#askAnother(asked, not),
      compute: (asked) => this.#compute(asked),
      compare: this.#options.compare,
      random: this.#random,
    });
    this.counts.checks += 1;
    for (const liar of verdict.liars) await this.#convict(liar);
    const isVouchedFor = verdict.vouchedBy === undefined || !this.#liars.has(verdict.vouchedBy);
    if (verdict.outcome !== 'right' || !isVouchedFor) return;
    const conduct = this.#conductOf(answer.worker);
    conduct.checksPassed += 1;
    conduct.goodUpTo = Math.max(conduct.goodUpTo, number);
    await this.#options.results.passed(workerId, 1);
  }

  async #askAnother(question: Q, not: readonly string[]): Promise<Answered<A> | undefined> {
    const others = [...this.#replicas].filter(({ worker }) => !not.includes(worker.workerId));
    const owners = others.filter(({ worker }) => worker.isOwners);
    const among = owners.length > 0 ? owners : others;
    const chosen = among[Math.floor(this.#random() * among.length)];
    if (!chosen) return undefined;
    // One that fails here fails for callers, too, and is replaced then.
    const said = chosen.ask(question).then(
      (value) => ({ value, worker: chosen.worker }),
      () => undefined,
    );
    const over = new AbortController();
    const late = delay(this.#options.clock ?? systemClock, ANSWER_TIMEOUT_MS, over.signal);
    const first = await Promise.race([said, late]);
    over.abort();
    return first ?? undefined;
  }

  async #compute(question: Q): Promise<A> {
    if (this.#replicas.size === 0) throw new AbortedError('The deployment has no replica any more.');
    const here = (this.#here ??= this.#options.openHere());
    await here.ready;
    return new Promise((resolve, reject) => {
      here.call('rows', this.#options.argsOf(question), (error, value) => {
        if (error === undefined) resolve(value as A);
        else reject(error);
      });
    });
  }

  async #convict({ worker, difference }: Liar): Promise<void> {
    const { workerId, isOwners } = worker;
    const { deployment, results } = this.#options;
    const { where, claimed, found } = difference;
    const what = `deployment "${deployment}": it answered what is not so, in ${where}`;
    if (!isOwners && !this.#liars.has(workerId)) {
      const { answers, goodUpTo } = this.#conductOf(worker);
      const unchecked = answers - goodUpTo;
      this.#liars.add(workerId);
      this.#conducts.delete(workerId);
      this.counts.liars += 1;
      this.counts.suspectAnswers += unchecked;
      this.#tell(
        `worker ${workerId} lied, in ${where} (it said ${claimed}, ${found} is right), and is replaced; callers have ` +
          `${unchecked} answers of it since its last check that came out right`,
      );
      for (const replica of this.#replicas)
        if (replica.worker.workerId === workerId) replica.end('its worker lied');
    }
    await results.convict(workerId, { what, claimed, found });
  }

  #conductOf({ workerId, checksPassed }: PlacedWorker): Conduct {
    let conduct = this.#conducts.get(workerId);
    if (!conduct) {
      conduct = { checksPassed, answers: 0, goodUpTo: 0 };
      this.#conducts.set(workerId, conduct);
      const [oldest] = this.#conducts.keys();
      if (this.#conducts.size > MOST_KNOWN) this.#conducts.delete(oldest!);
    }
    return conduct;
  }

  #closeHere(): void {
    void this.#here?.kill('no longer needed');
    this.#here = undefined;
  }

  #tell(what: string): void {
    this.#options.log({ level: 'warn', message: `serve: deployment "${this.#options.deployment}": ${what}` });
  }
}
