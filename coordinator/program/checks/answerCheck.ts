// Whether a stranger's answer is right: another worker computes it too, and where the two differ a third decides, which is
// this process wherever it can compute the same. It computes some of the checks alone, so that strangers who stand up for
// one another are found as well.

import { TabgradError, type ErrorPlace } from '../../../kernels/errors.ts';
import type { PlacedWorker } from '../../core/programs/programPipe.ts';

export interface Answered<A> {
  readonly value: A;
  readonly worker: PlacedWorker;
}

/** What one said where another says something else. */
export interface Difference {
  /** False where it may come from how devices round. */
  readonly isLie: boolean;
  /** E.g. `row 12 of column "predictions"`. */
  readonly where: string;
  readonly claimed: string;
  readonly found: string;
}

export interface CheckMeans<Q, A> {
  /** Another worker's answer; undefined where no other has the program, or the one that was asked does not answer. */
  readonly askAnother: (question: Q, not: readonly string[]) => Promise<Answered<A> | undefined>;
  /** The answer of this process, which is right. Absent for code of owners. */
  readonly compute: ((question: Q) => Promise<A>) | undefined;
  /** @returns undefined where they are equal. */
  readonly compare: (said: A, right: A) => Difference | undefined;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export interface Liar {
  readonly worker: PlacedWorker;
  readonly difference: Difference;
  /** False where strangers alone say so: it is asked no more, and not banned. */
  readonly isProven: boolean;
}

export interface Verdict<A> {
  /** "unclear" where it differs by little more than devices may; "unchecked" where nobody could compute it again. */
  readonly outcome: 'right' | 'wrong' | 'unclear' | 'unchecked';
  /** What the answer should have been, as far as is known. */
  readonly value: A;
  /** The stranger whose word it is that the answer is right. */
  readonly vouchedBy?: string;
  readonly liars: readonly Liar[];
}

/** Several workers answer the same question differently, and it can not be told who is wrong. */
export class AnswersDifferError extends TabgradError {
  readonly code = 'PROGRAM_ANSWERS_DIFFER';

  constructor(workers: readonly PlacedWorker[], { where }: Difference, place: ErrorPlace = {}) {
    const names = workers.map(({ workerId, runtime }) => `${workerId} (${runtime})`).join(', ');
    super(
      `Workers ${names} give different answers, first in ${where}, and no two of three agree: is the function as ` +
        'deterministic as "deterministic: true" says?',
      place,
    );
  }
}

/** Of the checks that a stranger could make, those that this process makes alone. */
const COMPUTED_HERE = 1 / 4;

/** @throws what computing throws; AnswersDifferError */
export async function checkAnswer<Q, A>(
  question: Q,
  answer: Answered<A>,
  means: CheckMeans<Q, A>,
): Promise<Verdict<A>> {
  const { compute, random, compare } = means;
  const isHere = compute !== undefined && random() < COMPUTED_HERE;
  const other = isHere ? undefined : await means.askAnother(question, [answer.worker.workerId]);
  if (other && !compare(answer.value, other.value)) {
    const { isOwners, workerId } = other.worker;
    return {
      outcome: 'right',
      value: answer.value,
      liars: [],
      ...(!isOwners && { vouchedBy: workerId }),
    };
  }
  if (compute) return judge(answer, other, await compute(question), () => compute(question), means);
  if (!other) return { outcome: 'unchecked', value: answer.value, liars: [] };
  return vote(question, answer, other, means);
}

async function judge<Q, A>(
  answer: Answered<A>,
  other: Answered<A> | undefined,
  right: A,
  again: () => Promise<A>,
  { compare }: CheckMeans<Q, A>,
): Promise<Verdict<A>> {
  const difference = compare(answer.value, right);
  const others = other ? compare(other.value, right) : undefined;
  const liars: Liar[] = [];
  if (difference?.isLie === true) liars.push({ worker: answer.worker, difference, isProven: true });
  if (other && others?.isLie === true)
    liars.push({ worker: other.worker, difference: others, isProven: true });
  // A bit that flips in this machine's memory accuses nobody.
  if (liars.length > 0 && compare(right, await again()))
    return { outcome: 'unclear', value: await again(), liars: [] };
  const outcome = !difference ? 'right' : difference.isLie ? 'wrong' : 'unclear';
  return { outcome, value: difference ? right : answer.value, liars };
}

/** Two of three, for code of owners: the owner's worker is asked first of all. */
async function vote<Q, A>(
  question: Q,
  answer: Answered<A>,
  other: Answered<A>,
  { askAnother, compare }: CheckMeans<Q, A>,
): Promise<Verdict<A>> {
  const difference = compare(answer.value, other.value)!;
  const third = await askAnother(question, [answer.worker.workerId, other.worker.workerId]);
  const asked = [answer.worker, other.worker, ...(third ? [third.worker] : [])];
  if (!third) throw new AnswersDifferError(asked, difference);
  const isFound = [answer, other].find(({ value }) => !compare(value, third.value));
  if (!isFound) throw new AnswersDifferError(asked, difference);
  const outvoted = isFound === answer ? other : answer;
  const isProven = isFound.worker.isOwners || third.worker.isOwners;
  const liar = { worker: outvoted.worker, difference: compare(outvoted.value, third.value)!, isProven };
  return { outcome: outvoted === answer ? 'wrong' : 'right', value: third.value, liars: [liar] };
}
