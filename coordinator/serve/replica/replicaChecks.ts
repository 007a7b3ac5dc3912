// Answers of strangers' replicas, computed again now and then after callers have them: by a replica on another worker, and
// where the two differ by a thread beside the server. What a caller was told can not be taken back; it is counted.

import { AbortedError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { CheckResults } from '../../core/programs/checkResults.ts';
import type { PlacedWorker } from '../../core/programs/programPipe.ts';
import { secretRandom } from '../../core/pool/secrets.ts';
import type { Log } from '../../log/log.ts';
import { checkAnswer, type Answered, type Difference, type Liar } from '../../program/checks/answerCheck.ts';
import { checkRate } from '../../core/pool/checkRate.ts';
import type { CheckCounts } from '../deployment/checkCounts.ts';
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
  /** Since the last one that a check spoke for. */
  unchecked: number;
}

/** Questions that wait to be asked again are kept in memory: beyond so many none is. */
const MOST_WAITING = 8;
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
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

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
    const isChosen = this.#waiting < MOST_WAITING && this.#random() < checkRate(checksPassed);
    // The caller may change its arrays as soon as they were sent.
    const asked = isChosen ? structuredClone(question) : undefined;
    return (value) => {
      const { workerId } = worker;
      if (this.#liars.has(workerId)) return void (this.counts.suspectAnswers += 1);
      const conduct = this.#conductOf(worker);
      conduct.unchecked += 1;
      if (asked !== undefined) this.#checkLater(asked, { worker, value }, conduct.unchecked);
    };
  }

  #checkLater(question: Q, answer: Answered<A>, answers: number): void {
    this.#waiting += 1;
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#check(question, answer, answers);
      } catch (error) {
        if (!(error instanceof AbortedError))
          this.#tell(`an answer could not be checked: ${messageOf(error)}`);
      } finally {
        this.#waiting -= 1;
      }
    });
  }

  async #check(question: Q, answer: Answered<A>, answers: number): Promise<void> {
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
    conduct.unchecked -= answers;
    await this.#options.results.passed(workerId, 1);
  }

  async #askAnother(question: Q, not: readonly string[]): Promise<Answered<A> | undefined> {
    const others = [...this.#replicas].filter(({ worker }) => !not.includes(worker.workerId));
    const owners = others.filter(({ worker }) => worker.isOwners);
    const among = owners.length > 0 ? owners : others;
    const chosen = among[Math.floor(this.#random() * among.length)];
    // One that fails here fails for callers, too, and is replaced then.
    const value = await chosen?.ask(question).then(
      (said) => ({ said }),
      () => undefined,
    );
    return value && { value: value.said, worker: chosen!.worker };
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
      const { unchecked } = this.#conductOf(worker);
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
      conduct = { checksPassed, unchecked: 0 };
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
