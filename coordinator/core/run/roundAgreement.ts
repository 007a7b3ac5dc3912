// A round is recorded when most members say the same of it: the hash of its payload and its metrics. Who says otherwise is
// looked into; where no side has a majority none is recorded, and the round is done again.

import { createHash } from 'node:crypto';
import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { isSame, partsIn, type Candidate, type Statement } from './ballot.ts';
import { measureSpeed, recordRound } from './commitRecord.ts';
import { noteDiffering } from './differing.ts';
import type { OpenRound, RoundContent } from './roundVotes.ts';
import { agreedRounds, MAX_OPEN_VOTES, winnerAmong, winnerOf } from './agreedRounds.ts';
import { mayRecord } from './checkState.ts';
import { recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import { expel } from './setAside.ts';
import type { Turn } from './turn.ts';

/** Why the generation can not go on. */
export interface HaltWish {
  readonly when: 'now' | 'commit';
  readonly reason: string;
  /** Somebody says what can not be: the answer to this halt is not waited for longer than to any other. */
  readonly isUrgent?: boolean;
}

const MOST_AHEAD = 256;
const LEAST_AHEAD = 32;
const LONGEST_TEXT = 256;

/**
 * How far a member may be ahead of the record before the group halts to find out who is behind: the others are at most a
 * round apart, but their sockets may lag. What comes at twice the distance is malformed.
 */
function mostAhead({ state }: Turn): number {
  return Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.floor(MAX_OPEN_VOTES / state.members.length)));
}

/** Takes a member's word on a round; records what most agree on then. @returns why the group must halt, if it must. */
export function takeVote(
  turn: Turn,
  member: Member,
  message: WorkerMessageOf<'committed'>,
): HaltWish | undefined {
  const { workerId } = member;
  const { round, computeMs, exchangeMs, bytesSent } = message;
  const wrong = misplaced(turn, member, round);
  if (wrong !== undefined) return turn.malformed(workerId, `committed: ${wrong}`);
  const told = readCommitted(turn, member, message);
  if ('error' in told) {
    turn.malformed(workerId, `committed: ${told.error}`);
    expel(turn, workerId, `what it says of round ${round} can not be: ${told.error}`);
    return { when: 'now', reason: `worker ${workerId} is set aside` };
  }
  const skipped = round > member.toldRounds;
  turn.setMember(workerId, {
    committedRounds: Math.max(member.committedRounds, round + 1),
    toldRounds: round + 1,
    hasWorked: true,
  });
  turn.set({ progressAtMs: turn.atMs });
  measureSpeed(turn, member, computeMs);
  const { votes } = turn.state;
  const decided = votes.decided(round);
  if (decided) {
    votes.time(round, { workerId, computeMs, exchangeMs, bytesSent });
    return isSame(decided.says, told.says)
      ? undefined
      : haltDiffering(turn, round, decided.says, told.says, [workerId]);
  }
  if (round < recordedRounds(turn.state)) return undefined;
  const open = votes.vote(round, workerId, told.says, told.content);
  votes.time(round, { workerId, computeMs, exchangeMs, bytesSent });
  if (member.rank === 0 && !told.content) return withheld(turn, workerId, round);
  return recordAgreed(turn, open, skipped) ?? tooFarAhead(turn, workerId, round);
}

/** What is wrong with the place of a round; undefined when nothing is. */
function misplaced(turn: Turn, member: Member, round: number): string | undefined {
  const { plan, state } = turn;
  if (round >= plan.totalRounds) return `round ${round} of ${plan.totalRounds}`;
  if (round < member.toldRounds) return `round ${round} after round ${member.toldRounds - 1}`;
  const most = 2 * mostAhead(turn);
  const isNear = plan.kind.recordsEveryRound
    ? round < agreedRounds(turn) + most
    : state.votes.openRounds < most || state.votes.open(round) !== undefined;
  return isNear ? undefined : `round ${round}, of which nobody else has told`;
}

interface Told {
  readonly says: Statement;
  readonly content: RoundContent | undefined;
}

function readCommitted(
  turn: Turn,
  { rank }: Member,
  { round, payloadSha256, metrics, payload, measured }: WorkerMessageOf<'committed'>,
): Told | { readonly error: string } {
  if (!metrics) return { error: 'no metrics' };
  const isFirst = rank === 0;
  if (!turn.plan.kind.recordsEveryRound) {
    if (payload && payload.length > 0 && round + 1 < turn.plan.totalRounds)
      return { error: 'a payload before the last round' };
    const reading = turn.plan.readPayload(payload ?? []);
    if ('error' in reading) return reading;
    const text = metricsText(metrics) + (payload ? JSON.stringify(payload) : '');
    const ofFirst = isFirst ? finite(measured) : {};
    const told = { payload: payload ?? [], metrics: { ...ofFirst, ...metrics } };
    return {
      says: { metrics: shortened(text) },
      content: { ...told, sizeBytes: text.length, isWhole: isFirst },
    };
  }
  if (payloadSha256 === undefined) return { error: 'no hash of the trees' };
  const says = { trees: payloadSha256, metrics: shortened(metricsText(metrics)) };
  if (!isFirst || !payload) return { says, content: undefined };
  const content = readContent(turn, payload, metrics, payloadSha256);
  return 'error' in content ? content : { says, content };
}

function readContent(
  { plan }: Turn,
  payload: readonly unknown[],
  metrics: Readonly<Record<string, number>>,
  named?: string,
): (RoundContent & { readonly sha256: string }) | { readonly error: string } {
  const reading = plan.readPayload(payload);
  if ('error' in reading) return reading;
  const { sha256, sizeBytes } = reading;
  if (named !== undefined && named !== sha256) return { error: 'the trees have another hash than it names' };
  return { payload, metrics, sizeBytes, sha256, isWhole: true };
}

function finite(measured: WorkerMessageOf<'committed'>['measured']): Record<string, number> {
  const named = Object.entries(measured ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named) as Record<string, number>;
}

/** The same text for the same metrics, in whatever order. */
function metricsText(metrics: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shortened(text: string): string {
  return text.length <= LONGEST_TEXT ? text : createHash('sha256').update(text).digest('hex');
}

/** Records a round that most members agree on, and those after it that had to wait for it. */
function recordAgreed(turn: Turn, told: OpenRound, skipped: boolean): HaltWish | undefined {
  const { recordsEveryRound } = turn.plan.kind;
  let open: OpenRound | undefined = told;
  let halt: HaltWish | undefined;
  let isRecorded = false;
  if (recordsEveryRound) open = turn.state.votes.open(recordedRounds(turn.state));
  while (open && !halt && !turn.state.isComplete) {
    const winner = winnerOf(turn, open);
    if (!winner) break;
    const content = open.contents.get(winner);
    const hasFirst = hasFirstTold(turn, open.round);
    if (!content || !(content.isWhole || hasFirst)) {
      if (hasFirst)
        return { when: 'now', reason: `what the first rank tells of round ${open.round} is missing` };
      awaitContent(turn);
      break;
    }
    if (!mayRecord(turn.state, open.round)) {
      turn.set({ withheldAtMs: undefined });
      break;
    }
    halt = record(turn, open, winner, content);
    isRecorded = true;
    open = recordsEveryRound ? turn.state.votes.open(recordedRounds(turn.state)) : undefined;
  }
  if (halt || turn.state.isComplete) return halt;
  if (told.ballot.candidates.length > 1 && turn.state.votes.open(told.round)) {
    const reason = `members came to different ${told.ballot.differences.join(' and ')} of round ${told.round}`;
    return { when: 'commit', reason, isUrgent: true };
  }
  return recordsEveryRound && (isRecorded || skipped) ? outOfReach(turn) : undefined;
}

/** Records the rounds that were found right. @returns why the group must halt, if it must. */
export function recordCleared(turn: Turn): HaltWish | undefined {
  const open = turn.state.votes.open(recordedRounds(turn.state));
  return open && recordAgreed(turn, open, false);
}

/** Takes an open round into the record, and sets those aside who are for another. */
function record(
  turn: Turn,
  { round, ballot }: OpenRound,
  winner: Candidate,
  { payload, metrics: told }: RoundContent,
): HaltWish | undefined {
  const { votes } = turn.state;
  const metrics = trueMetrics(turn, round, told);
  const against = ballot.votersAgainst(winner);
  const other = ballot.candidates.find((candidate) => candidate !== winner);
  votes.decide(round, winner);
  if (!turn.plan.kind.recordsEveryRound)
    for (const earlier of votes.inOrder) if (earlier < round) votes.drop(earlier);
  recordRound(turn, { round, payload, metrics });
  return other ? haltDiffering(turn, round, winner.says, other.says, against) : undefined;
}

/** Where the round was checked, what the rows give: which member told false numbers can not be told from the sum. */
function trueMetrics(turn: Turn, round: number, told: RoundContent['metrics']): RoundContent['metrics'] {
  const found = turn.state.checks.metrics.get(round);
  if (!found || metricsText(found) === metricsText(told)) return told;
  turn.log('warn', `The members' metrics of round ${round} are false; the record has those of the rows.`);
  return found;
}

function haltDiffering(
  turn: Turn,
  round: number,
  most: Statement,
  other: Statement,
  workerIds: readonly string[],
): HaltWish {
  const what = partsIn(most, other);
  noteDiffering(turn, workerIds, {
    round,
    reason: `its ${what} of round ${round} differ from those of most members`,
  });
  return {
    when: 'now',
    reason: `worker ${workerIds.join(', ')} came to different ${what} of round ${round}`,
  };
}

/** Of this round or a later one. */
function hasFirstTold({ state }: Turn, round: number): boolean {
  return state.members.some((member) => member.rank === 0 && member.toldRounds > round);
}

/** The first rank's message may take longer than the others': trees are large, and a state is stored before it. */
function awaitContent(turn: Turn): void {
  const { state, plan, atMs } = turn;
  const patienceMs = plan.kind.recordsEveryRound ? plan.timing.haltMs : plan.timing.roundIdleMs;
  turn.set({ withheldAtMs: state.withheldAtMs ?? atMs + patienceMs });
}

/** The next round can't be recorded any more when too many members have gone past it without a word. */
function outOfReach(turn: Turn): HaltWish | undefined {
  const { state } = turn;
  const next = recordedRounds(state);
  const open = state.votes.open(next);
  const told = new Set(open?.ballot.voters);
  const past = state.members.filter((one) => one.toldRounds > next && !told.has(one.workerId));
  if (past.length === 0) return undefined;
  const most = Math.max(0, ...(open?.ballot.candidates ?? []).map(({ voters }) => voters.size));
  const mayVote = state.members.filter((one) => one.toldRounds <= next).length;
  const isReachable = 2 * (most + mayVote) > state.members.length && past.every(({ rank }) => rank > 0);
  if (isReachable) return undefined;
  const ids = past.map(({ workerId }) => workerId).join(', ');
  return { when: 'now', reason: `round ${next} did not arrive from worker ${ids}` };
}

/** The others know the trees too: the group halts and they are asked, and another is the first rank next time. */
export function withheld(turn: Turn, workerId: string, round: number): HaltWish {
  turn.set({ withholders: new Set([...turn.state.withholders, workerId]), withheldAtMs: undefined });
  return { when: 'now', reason: `the trees of round ${round} did not arrive from worker ${workerId}` };
}

function tooFarAhead(turn: Turn, workerId: string, round: number): HaltWish | undefined {
  const { plan, state } = turn;
  const ahead = plan.kind.recordsEveryRound ? round - agreedRounds(turn) : state.votes.openRounds;
  if (ahead < mostAhead(turn)) return undefined;
  return { when: 'now', reason: `worker ${workerId} is ${ahead} rounds ahead of what most members tell` };
}

/** Takes the rounds that a member names in its answer to a halt. @returns what is wrong with them. */
export function takeHaltedRounds(
  turn: Turn,
  member: Member,
  { committedRounds, rounds }: WorkerMessageOf<'halted'>,
): string | undefined {
  const { plan, state } = turn;
  if (committedRounds > plan.totalRounds) return `${committedRounds} rounds of ${plan.totalRounds}`;
  const first = rounds[0]?.round ?? 0;
  if (first > recordedRounds(state)) return `rounds from ${first} on; ${recordedRounds(state)} are recorded`;
  for (const [index, { round, payload, metrics }] of rounds.entries()) {
    if (round !== first + index || round >= committedRounds)
      return `round ${round} of ${committedRounds} at place ${index}`;
    if (!plan.kind.recordsEveryRound || round < recordedRounds(state)) continue;
    const content = readContent(turn, payload, metrics);
    if ('error' in content) return `round ${round}: ${content.error}`;
    const says = { trees: content.sha256, metrics: shortened(metricsText(metrics)) };
    const earlier = state.votes.open(round)?.ballot.candidateOf(member.workerId);
    if (earlier && !isSame(earlier.says, says)) return `round ${round}: it said otherwise before`;
    state.votes.vote(round, member.workerId, says, content);
  }
  return undefined;
}

/** All have answered a halt: records what most of those who can know of a round say. */
export function settleRounds(turn: Turn): void {
  const { votes } = turn.state;
  if (!turn.plan.kind.recordsEveryRound) {
    for (const round of votes.inOrder) settleRound(turn, round);
    return;
  }
  while (settleRound(turn, recordedRounds(turn.state)));
}

function settleRound(turn: Turn, round: number): boolean {
  const open = turn.state.votes.open(round);
  if (!open || turn.state.isComplete) return false;
  const winner = winnerAmong(turn, open);
  const content = winner && open.contents.get(winner);
  if (!winner || !content || !mayRecord(turn.state, round)) return false;
  record(turn, open, winner, content);
  return true;
}
