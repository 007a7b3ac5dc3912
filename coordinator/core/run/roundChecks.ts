// Rounds of trees in which strangers took part are recorded when they were found right: members are asked for fingerprints of
// what they summed up, and the rounds are done once more from the rows (coordinator/core/trust). Meanwhile the group works on.
// A wrong round is never recorded: who lied is banned, and the group does it again from the last right one.

import { TabgradError } from '../../../kernels/errors.ts';
import type { CheckedRound, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { AuditedMember, Fault, Verdict } from '../trust/roundAudit.ts';
import { accuse, COORDINATOR } from './accusations.ts';
import { agreedRound } from './agreedRounds.ts';
import { checkEndsAtMs, type AskedRounds } from './checkState.ts';
import { setAsideLate } from './lateness.ts';
import { pickOfQuarrel } from './quarrels.ts';
import type { HaltWish } from './roundAgreement.ts';
import { recordedRounds } from './runState.ts';
import type { Member, RunState } from './runState.ts';
import { expel, setAside } from './setAside.ts';
import type { Turn } from './turn.ts';

class RoundsWrongError extends TabgradError {
  readonly code = 'CHECK_FAILED';
}

/** Rounds that are checked at a time: the weights of a row's slots are summed once for all of them. */
const ROUNDS_AT_A_TIME = 8;
/** Rounds that are judged at a time, at most; of few rows they take little, and members are far ahead. */
const MOST_AT_A_TIME = 2 * ROUNDS_AT_A_TIME;
const MOST_OF_FEW_ROWS = 8 * ROUNDS_AT_A_TIME;
/** Asks about the next rounds when it is time, and has them judged when all have answered. */
export function goOnChecking(turn: Turn): void {
  const { checks, phase } = turn.state;
  if (!checks.isOn || (phase !== 'training' && phase !== 'halting')) return;
  const { asked } = checks;
  if (asked) {
    if (!asked.isAudited && awaited(turn.state).length === 0) audit(turn, asked);
    return;
  }
  if (checks.isSpoiled) return;
  const firstRound = Math.max(checks.cleared, recordedRounds(turn.state));
  const endRound = agreedEnd(turn, firstRound, checks.areAlone ? MOST_OF_FEW_ROWS : MOST_AT_A_TIME);
  if (endRound === firstRound) return;
  checks.waitsSinceMs ??= turn.atMs;
  const isDue =
    phase === 'halting' ||
    endRound - firstRound >= ROUNDS_AT_A_TIME ||
    endRound === turn.plan.totalRounds ||
    turn.atMs >= checkEndsAtMs(turn.state);
  if (isDue) ask(turn, firstRound, endRound);
}

/** One more than the last round, from this one on, that can be checked now: most agree on it, and all have made it. */
function agreedEnd(turn: Turn, firstRound: number, most: number): number {
  let end = firstRound;
  while (end < firstRound + most && agreedRound(turn, end)) end += 1;
  return end;
}

function ask(turn: Turn, firstRound: number, endRound: number): void {
  const { state, plan, atMs } = turn;
  const present = state.members.filter(
    ({ workerId }) => !state.checks.areAlone && state.workers.get(workerId)?.present === true,
  );
  const workerIds = new Set(present.map(({ workerId }) => workerId));
  state.checks.waitsSinceMs = undefined;
  state.checks.asked = {
    firstRound,
    endRound,
    workerIds,
    answers: new Map(),
    deadlineMs: atMs + plan.timing.haltMs,
    isAudited: false,
    treeBytes: Array.from(
      { length: endRound - firstRound },
      (_, at) => agreedRound(turn, firstRound + at)?.content.sizeBytes ?? 0,
    ),
    voters: [],
  };
  turn.command({
    type: 'check',
    generation: state.generation,
    firstRound,
    endRound,
    workerIds: [...workerIds],
  });
  goOnChecking(turn);
}

/** A member's socket was replaced: the question, or its answer, may be lost. */
export function askAgain(turn: Turn, workerId: string): void {
  const { generation, checks } = turn.state;
  const { asked } = checks;
  if (!asked || !awaited(turn.state).some((member) => member.workerId === workerId)) return;
  const { firstRound, endRound } = asked;
  turn.command({ type: 'check', generation, firstRound, endRound, workerIds: [workerId], isAgain: true });
}

/** Members that were asked, are there, and have not answered. */
function awaited({ checks, members, workers }: RunState): Member[] {
  const { asked } = checks;
  if (!asked || asked.isAudited) return [];
  return members.filter(
    ({ workerId }) =>
      asked.workerIds.has(workerId) &&
      !asked.answers.has(workerId) &&
      workers.get(workerId)?.present === true,
  );
}

/** Takes a member's answer. @returns why the group must halt, if it must. */
export function takeChecked(
  turn: Turn,
  { workerId }: Member,
  { firstRound, rounds }: WorkerMessageOf<'checked'>,
): HaltWish | undefined {
  const { asked } = turn.state.checks;
  const isDue =
    asked?.firstRound === firstRound && asked.workerIds.has(workerId) && !asked.answers.has(workerId);
  if (!asked || !isDue) return turn.malformed(workerId, `checked: rounds from ${firstRound} on, unasked`);
  const isInOrder = rounds.every(({ round }, at) => round === firstRound + at && round < asked.endRound);
  if (isInOrder) {
    const tooLong = rounds.find(
      (told, at) => !mayBe(told, asked.treeBytes[at]!, turn.state.checks.group.length),
    );
    // What is kept until all have answered is no more than honest ones say; who says more has said nothing.
    asked.answers.set(workerId, tooLong ? [] : rounds);
    return tooLong && turn.malformed(workerId, `checked: more of round ${tooLong.round} than there is`);
  }
  turn.malformed(workerId, `checked: rounds that are not those from ${firstRound} on`);
  expel(turn, workerId, 'it answered a check with other rounds');
  return { when: 'now', reason: `worker ${workerId} is set aside` };
}

/** What trees of few bytes may be told of: a node of a tree takes 30 bytes, and is named twice at most. */
const LEAST_WORDS = 1024;

/** Whether a member of a group of this size can have summed so much for trees of so many bytes. */
function mayBe(
  { steps, sent, received, refused, roots = [] }: CheckedRound,
  treeBytes: number,
  size: number,
): boolean {
  const words = steps.reduce((sum, { nodes }) => sum + 1 + nodes.length, 0);
  const lists = [sent, received, refused, ...roots.map(({ told }) => told)];
  const most = Math.max(LEAST_WORDS, treeBytes);
  return words <= most && roots.length <= most && lists.every(({ length }) => length <= size);
}

function audit(turn: Turn, asked: AskedRounds): void {
  const { state } = turn;
  asked.isAudited = true;
  const rounds: (readonly unknown[])[] = [];
  for (let round = asked.firstRound; round < asked.endRound; round += 1) {
    const agreed = agreedRound(turn, round);
    rounds.push(agreed?.content.payload ?? []);
    asked.voters.push(agreed?.voters ?? []);
  }
  const members = state.checks.group.map(({ workerId, leases, isOwners }): AuditedMember => {
    const answer = asked.answers.get(workerId);
    // A member that has begun anew knows nothing of the rounds, or not of all.
    const told = answer?.length === rounds.length ? answer : undefined;
    return { workerId, leases, told, isOwners };
  });
  turn.command({
    type: 'audit',
    generation: state.generation,
    firstRound: asked.firstRound,
    rounds,
    members,
  });
}

/** What was found out. The caller records what may be recorded now. */
export function takeVerdict(turn: Turn, { rightRounds, metrics, faults: found }: Verdict): void {
  const { checks } = turn.state;
  const { asked } = checks;
  if (!asked?.isAudited) return;
  const faults = checks.areAlone ? found.flatMap((fault) => liesOfVoters(turn, asked, fault)) : found;
  checks.asked = undefined;
  checks.cleared = asked.firstRound + rightRounds;
  checks.metrics.clear();
  metrics.forEach((ofRound, at) => checks.metrics.set(asked.firstRound + at, ofRound));
  const passed = toldOf(asked);
  if (rightRounds > 0) turn.command({ type: 'passCheck', workerIds: passed, rounds: rightRounds });
  if (faults.length === 0) return;
  checks.isSpoiled = true;
  for (const fault of faults) blame(turn, fault);
  if (faults.some(({ kind }) => kind === 'unexplained')) giveUpSilent(turn, asked);
  checks.areAllTold = passed.length === checks.group.length;
}

/** Each grew the whole tree from the rows, and names one that can not come of them. Owner's workers are believed: that is a defect. */
function liesOfVoters({ state }: Turn, { firstRound, voters }: AskedRounds, fault: Fault): Fault[] {
  if (fault.kind !== 'unexplained') return [fault];
  const { round, what } = fault;
  const named = new Set(voters[round - firstRound]);
  const liars = state.checks.group.filter(({ workerId, isOwners }) => !isOwners && named.has(workerId));
  if (liars.length === 0) return [fault];
  return liars.map(({ workerId }) => ({ kind: 'lie', workerId, evidence: { what, round } }));
}

/** Members that told of all rounds. */
function toldOf({ firstRound, endRound, answers }: AskedRounds): string[] {
  return [...answers].flatMap(([workerId, rounds]) =>
    rounds.length === endRound - firstRound ? [workerId] : [],
  );
}

/** A round is wrong, and these strangers told nothing of it: they may be the reason, and the others try without them. */
function giveUpSilent(turn: Turn, asked: AskedRounds): void {
  const told = toldOf(asked);
  for (const { workerId, isOwners } of turn.state.members) {
    if (isOwners || told.includes(workerId) || !asked.workerIds.has(workerId)) continue;
    setAsideLate(turn, workerId, 'it told nothing of a round that is wrong', { isProven: true });
  }
}

/** A round that is wrong again and again, and nobody can be named: the run does not go on for ever. */
const MOST_UNEXPLAINED = 5;

/** @returns why the run ends, if it does. */
export function endlessRound(turn: Turn, { faults }: Verdict): TabgradError | undefined {
  const fault = faults.find(({ kind }) => kind === 'unexplained');
  if (fault?.kind !== 'unexplained' || faults.some(({ kind }) => kind !== 'unexplained')) return undefined;
  // Who is gone, or told nothing, may be the reason: the group is another one next time.
  if (!turn.state.checks.areAllTold) return undefined;
  const { round, times } = turn.state.unexplained;
  const unexplained = { round: fault.round, times: round === fault.round ? times + 1 : 1 };
  turn.set({ unexplained });
  if (unexplained.times < MOST_UNEXPLAINED) return undefined;
  return new RoundsWrongError(`Round ${fault.round} was wrong ${MOST_UNEXPLAINED} times: ${fault.what}`);
}

/** The group does the round again, without who lied. */
export function haltForFaults({ state }: Turn, { faults }: Verdict): HaltWish | undefined {
  if (faults.length === 0) return undefined;
  return {
    when: 'now',
    reason: `round ${state.checks.cleared} is wrong: ${faults.map(describe).join('; ')}`,
  };
}

function describe(fault: Fault): string {
  return fault.kind === 'lie' ? `worker ${fault.workerId} lied: ${fault.evidence.what}` : fault.what;
}

function blame(turn: Turn, fault: Fault): void {
  if (fault.kind === 'lie') {
    const { workerId, evidence } = fault;
    turn.command({ type: 'convict', workerId, evidence });
    return expel(turn, workerId, `it lied: ${evidence.what}`);
  }
  turn.log('warn', `Round ${fault.round} is wrong: ${fault.what}`);
  if (fault.kind === 'unexplained') return;
  const [one, other] = fault.workerIds;
  const suspect = pickOfQuarrel(turn, [[one, other]]);
  if (!suspect) return;
  const { workerId, accuser = '' } = suspect;
  const reason = `it and worker ${accuser} contradict each other in what one of them sent`;
  turn.log('warn', `Worker ${workerId} is set aside without proof: ${reason}`);
  setAside(turn, workerId, { reason, until: 'forgiven', accuser });
}

/** The time for answers is over: the rounds are judged without those who gave none. @returns why the group halts, if it must. */
export function giveUpUnanswered(turn: Turn): string | undefined {
  const { asked } = turn.state.checks;
  if (!asked || asked.isAudited || turn.atMs < asked.deadlineMs) return undefined;
  const silent = awaited(turn.state).map(({ workerId }) => workerId);
  const what = `did not answer a check within ${turn.plan.timing.haltMs} ms`;
  accuse(turn, COORDINATOR, silent, what);
  for (const workerId of silent) setAsideLate(turn, workerId, what, { isProven: true });
  return silent.length > 0 ? `${silent.join(', ')} ${what}` : undefined;
}
