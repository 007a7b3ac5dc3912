// Checks of steps of a net, as the members tell of them: what was right counts for all of them; where two contradict one another,
// who is wrong is convicted, and all that it took part in is done again.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { judgeStep, type StepTrial, type StepVerdict } from '../trust/neural/judgeStep.ts';
import { isCheckedGroup } from './checkedGroup.ts';
import { enoughWithout } from './formation.ts';
import { haltStalled, startHalt } from './halting.ts';
import { pickOfQuarrel } from './quarrels.ts';
import type { Member } from './runState.ts';
import { expel, setAside } from './setAside.ts';
import type { Turn } from './turn.ts';
import { undoWorkOf } from './undoRounds.ts';

/** A disputed work takes each member about as long as its part of a step. */
const LEAST_TRIAL_MS = 30_000;

export function onCheckedSteps(
  turn: Turn,
  { workerId, toldChecks }: Member,
  { round, passed, dispute }: WorkerMessageOf<'checkedSteps'>,
): void {
  const { phase, places } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  const isWrong =
    turn.plan.kind.recordsEveryRound ||
    round >= turn.plan.totalRounds ||
    passed < toldChecks ||
    (dispute &&
      (dispute.rank >= places.length || dispute.by >= places.length || dispute.rank === dispute.by));
  if (isWrong === true)
    return turn.malformed(workerId, `checkedSteps: ${passed} checks up to round ${round}`);
  turn.setMember(workerId, { toldChecks: passed });
  countPassed(turn);
  const { stepChecks } = turn.state;
  // The first word of each counts.
  if (!dispute || stepChecks.trial?.told.has(workerId) === true || stepChecks.undo) return;
  const { told, deadlineMs } = stepChecks.trial ?? { told: new Map(), deadlineMs: turn.atMs + trialMs(turn) };
  setTrial(turn, { told: new Map([...told, [workerId, { round, dispute }]]), deadlineMs });
  judge(turn);
}

/** As many as more than half of the members tell of. A check is one of every member's work. */
function countPassed(turn: Turn): void {
  const { members, stepChecks, groupSize } = turn.state;
  const { passed } = stepChecks;
  const told = members.map(({ toldChecks }) => toldChecks).sort((a, b) => b - a);
  const ofMost = told[Math.floor(groupSize / 2)] ?? 0;
  if (ofMost <= passed) return;
  turn.set({ stepChecks: { ...stepChecks, passed: ofMost } });
  const workerIds = members.map(({ workerId }) => workerId);
  turn.command({ type: 'passCheck', workerIds, rounds: ofMost - passed });
}

function setTrial(turn: Turn, trial: StepTrial | undefined): void {
  turn.set({ stepChecks: { ...turn.state.stepChecks, trial } });
}

function trialMs({ state }: Turn): number {
  return Math.max(LEAST_TRIAL_MS, 5 * Math.max(0, ...state.lastRoundsMs));
}

function judge(turn: Turn): void {
  const { places, members } = turn.state;
  const { trial } = turn.state.stepChecks;
  if (!trial) return;
  const silent = members.filter(({ workerId }) => !trial.told.has(workerId));
  // The owner's own have the last word.
  if (silent.some(({ workerId }) => isOwners(turn, workerId))) return;
  const verdict = judgeStep(trial.told, { places, isOwners: (workerId) => isOwners(turn, workerId) });
  if (verdict) return convict(turn, verdict);
  if (silent.length === 0) giveUp(turn, trial);
}

function isOwners({ state }: Turn, workerId: string): boolean {
  return state.workers.get(workerId)?.isOwners === true;
}

/** No side has a majority: the step is done again by another generation. */
function giveUp(turn: Turn, { told }: StepTrial): void {
  setTrial(turn, undefined);
  const [word] = told.values();
  haltStalled(turn, `nobody can tell who is right about step ${word?.round ?? 0}`);
}

/** The time is over. Of a step that was really in dispute most members tell. */
export function onTrialDeadline(turn: Turn): void {
  const { members } = turn.state;
  const { trial } = turn.state.stepChecks;
  if (!trial) return;
  const tellers = members.filter(({ workerId }) => trial.told.has(workerId));
  if (2 * tellers.length > members.length) return giveUp(turn, trial);
  setTrial(turn, undefined);
  for (const { workerId } of tellers)
    turn.malformed(workerId, 'checkedSteps: a dispute of which most members know nothing');
}

/**
 * A member says that another sent it something else than that one says. An owner's worker is believed; of two strangers one goes,
 * without proof.
 */
export function partContradicting(turn: Turn, workerId: string, others: readonly string[]): void {
  const [other] = others;
  const { plan, state } = turn;
  if (other === undefined || others.length > 1 || !isCheckedGroup(plan, state.members)) return;
  if (isOwners(turn, other)) return;
  if (isOwners(turn, workerId)) {
    const what = 'it sent something else than it says';
    expel(turn, other, what);
    turn.command({ type: 'convict', workerId: other, evidence: { what } });
    return undoWorkOf(turn, [other]);
  }
  const suspect = pickOfQuarrel(turn, [[workerId, other]]);
  if (!suspect || !enoughWithout(turn, [suspect.workerId])) return;
  const reason = `it and worker ${suspect.accuser ?? ''} contradict each other in what one of them sent`;
  turn.log('warn', `Worker ${suspect.workerId} is set aside without proof: ${reason}`);
  setAside(turn, suspect.workerId, { reason, until: 'forgiven', accuser: suspect.accuser ?? '' });
}

function convict(turn: Turn, { round, what, right, liars }: StepVerdict): void {
  const { places } = turn.state;
  setTrial(turn, undefined);
  const strangers = liars.filter(({ rank }) => !isOwners(turn, places[rank]!));
  const ids = strangers.map(({ rank }) => places[rank]!);
  if (ids.length === 0) {
    // A defect, of a device or of tabgrad: the step is done again.
    const owners = liars.map(({ rank }) => places[rank]!).join(', ');
    return haltStalled(turn, `the owner's worker ${owners} computed step ${round} otherwise than others`);
  }
  for (const [at, workerId] of ids.entries()) {
    const words = `its ${what} of step ${round} is not what others find`;
    const evidence = { round, claimed: strangers[at]!.claimed, found: right };
    expel(turn, workerId, words);
    turn.command({ type: 'convict', workerId, evidence: { what: words, ...evidence } });
  }
  undoWorkOf(turn, ids);
  startHalt(turn, 'now', `worker ${ids.join(', ')} lied in step ${round}`);
}
