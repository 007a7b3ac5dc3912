// What the run machine knows, what happens to it and what it wants done. Values only.

import type { TabgradError } from '../../../kernels/errors.ts';
import type { CoordinatorMessage, HeardGathers, Lease } from '../../../shared/protocol/control.ts';
import type { LieEvidence } from '../pool/lieEvidence.ts';
import type { RunMessage } from '../pool/poolWorker.ts';
import type { AuditTask, Verdict } from '../trust/roundAudit.ts';
import { noFruitless } from './conduct.ts';
import type { Disputes, Disturbance, FruitlessGenerations, SetAside } from './conduct.ts';
import type { BlobCheck } from './blobCheck.ts';
import { RoundChecks } from './checkState.ts';
import { RoundVotes } from './roundVotes.ts';
import { StateVotes } from './stateVotes.ts';
import { noStepChecks, type StepCheckState } from './stepCheckState.ts';
import type { CommittedRound, RunEvent, RunOutcome, SavedState } from './runRequest.ts';
import type { Waits } from './waits.ts';

/** A worker of the pool as far as this run may use it. */
export interface RunWorker {
  readonly workerId: string;
  readonly peerId: string | undefined;
  readonly runtime: 'browser' | 'deno' | 'node';
  readonly device: 'cpu' | 'webgpu';
  readonly deviceName: string;
  /** Started by the owner: believed. */
  readonly isOwners: boolean;
  readonly present: boolean;
  readonly leaving: boolean;
  /** Neither the owner's nor proven by checks of its work. */
  readonly isUnproven?: boolean;
  readonly session: number;
}

/** A worker's place in the current generation. */
export interface Member {
  readonly workerId: string;
  readonly rank: number;
  readonly peerId: string;
  /** Started by the owner: believed. */
  readonly isOwners: boolean;
  /** Session of the worker in which it was told its place. */
  readonly session: number;
  readonly leases: readonly Lease[];
  /** Shards of others that it was told to keep ready. */
  readonly spares: readonly Lease[];
  /** Rows of its leases, and those of them that are trained on. */
  readonly rows: number;
  readonly trainRows: number;
  readonly ready: boolean;
  /** -1 before it has said anything. */
  readonly rowsLoaded: number;
  /** Its rows were there before it got its place, as it said. */
  readonly isPromised: boolean;
  /** It was no member of the group before. */
  readonly isNew: boolean;
  /** It was in the last group that worked: where members hold the state, it has one. */
  readonly holdsState: boolean;
  /** How long it took to say the first thing of this generation, to load all rows, to be ready, and to answer the halt. */
  readonly heardAfterMs: number | undefined;
  readonly loadedAfterMs: number | undefined;
  readonly readyAfterMs: number | undefined;
  readonly haltedAfterMs: number | undefined;
  readonly progressAtMs: number;
  /** It waits no more for members that still load: it needs a place in another generation once they have. */
  readonly hasGivenUp: boolean;
  /** Rounds that are known to be committed there. */
  readonly committedRounds: number;
  /** One more than the last round that it told of in this generation. */
  readonly toldRounds: number;
  /** Rounds of the last state that it told of in this generation. */
  readonly toldState: number;
  /** Checks of steps in this generation that were right, as it told. */
  readonly toldChecks: number;
  readonly agreedRounds: number;
  /** It has committed a round in this generation, so it has heard `begin`. */
  readonly hasWorked: boolean;
  /** It has answered the halt. */
  readonly halted: boolean;
}

interface Halt {
  readonly when: 'now' | 'commit';
  readonly reason: string;
  readonly askedAtMs: number;
  readonly deadlineMs: number;
  /** The generation did not end by plan, nor by a loss: it might fail the same way again. */
  readonly stalled: boolean;
  /** It stood still for long: whom a member waits for then is who holds it up. */
  readonly isStandstill: boolean;
}

interface Preparation {
  /** The session of the worker in which it was asked: what is said on a lost socket may be lost. */
  readonly session: number;
  readonly isDone: boolean;
  /** Of a worker that has not answered. */
  readonly deadlineMs: number;
  /** What it was asked to load when it was asked again. */
  readonly wanted?: readonly Lease[];
}

export interface RunState {
  readonly phase: 'waiting' | 'loading' | 'training' | 'halting' | 'ended';
  readonly generation: number;
  /** In order of joining. */
  readonly workers: ReadonlyMap<string, RunWorker>;
  readonly members: readonly Member[];
  /** Workers that were given a place and have not been released. */
  readonly engaged: ReadonlySet<string>;
  readonly setAside: ReadonlyMap<string, SetAside>;
  /** How often a worker kept all others waiting, in the whole run. */
  readonly delays: ReadonlyMap<string, number>;
  /** How often it was set aside without proof. */
  readonly doubts: ReadonlyMap<string, number>;
  /** How often it stopped the group lately by what it did itself. */
  readonly disturbances: ReadonlyMap<string, Disturbance>;
  /** Of any two that accused one another, which others either has had to do with so. */
  readonly suspects: ReadonlyMap<string, ReadonlySet<string>>;
  /** Rounds that were recorded while a worker was a member. */
  readonly worked: ReadonlyMap<string, number>;
  /** Of this generation, after it stood still. */
  readonly waits: Waits;
  /** Workers that kept back what only the first rank tells: they come last in the order of ranks. */
  readonly withholders: ReadonlySet<string>;
  /** Workers that said they can't do the run, since the last round. */
  readonly failed: ReadonlyMap<string, string>;
  readonly disputes: Disputes;
  /** The last round that was wrong without anybody to name, and how often it was. */
  readonly unexplained: { readonly round: number; readonly times: number };
  /** Workers that were asked to load for a place that they do not have yet. */
  readonly prepared: ReadonlyMap<string, Preparation>;
  /** What workers have loaded, as far as is known. */
  readonly holds: ReadonlyMap<string, readonly Lease[]>;
  /**
   * Committed rounds in order: all of them, or those that were reported (see RunKind.recordsEveryRound). One array for the
   * whole run, which only grows: copies of it would make long runs slow.
   */
  readonly record: CommittedRound[];
  /** Of this generation; changed in place, like the record. */
  readonly votes: RoundVotes;
  readonly states: StateVotes;
  readonly checks: RoundChecks;
  /** Worker ids of this generation by rank, also of those who are lost. */
  readonly places: readonly string[];
  /** What those who answered the halt heard of one another. */
  readonly heard: ReadonlyMap<string, readonly HeardGathers[]>;
  /** Members whose word on a round, or on a state, is another than most members': the first such round, and how it differs. */
  readonly differing: ReadonlyMap<string, { readonly round: number; readonly reason: string }>;
  /** Members whose owner's loop has returned, with the rounds committed there. */
  readonly finished: ReadonlyMap<string, number>;
  readonly stepChecks: StepCheckState;
  /** Blobs that are being looked for. */
  readonly blobChecks: number;
  /** The last generation whose profile was told. */
  readonly profiledGeneration: number;
  /** Groups that were formed only because the state was not stored. */
  readonly storingGroups: number;
  /** When no more is waited for what the first rank tells of a round that most members agree on. */
  readonly withheldAtMs: number | undefined;
  /** The last state that was stored for the case that no member is left who has a later one. */
  readonly savedState: SavedState | undefined;
  /** All rounds are recorded, or as many as the owner wants. */
  readonly isComplete: boolean;
  /** Members of this generation when it was formed. */
  readonly groupSize: number;
  readonly group: ReadonlySet<string>;
  readonly formedAtMs: number;
  /** When all members of this generation were ready; undefined before. */
  readonly begunAtMs: number | undefined;
  /** Members that began the last generation, whatever became of them. */
  readonly roster: readonly string[];
  /** Members of the last generation that began; what they know of the run's state may be later than the record. */
  readonly stateHolders: ReadonlySet<string>;
  /** Rounds that a worker has committed surely as they are recorded: the recorded rounds when its last group ended. */
  readonly agreed: ReadonlyMap<string, number>;
  /** Recorded rounds when this generation was formed. */
  readonly recordAtFormation: number;
  /** Entries of the record that were announced with their timings. */
  readonly announcedRounds: number;
  /** Changed in place. */
  readonly msPerRow: Map<string, number>;
  readonly weights: ReadonlyMap<string, number>;
  readonly planChangedAtRound: number;
  readonly failures: number;
  readonly fruitless: FruitlessGenerations;
  readonly halt: Halt | undefined;
  readonly stopReason: string | undefined;
  readonly waitingReason: string | undefined;
  /** Workers that other runs and programs have. */
  readonly busy: number;
  /** No group is formed before this. */
  readonly formAtMs: number;
  /** Begin of the training phase, then of each round. */
  readonly roundSinceMs: number;
  /** The last rounds; the first ones of a run warm up. */
  readonly lastRoundsMs: readonly number[];
  /** When a member last committed a round, or the group began. */
  readonly progressAtMs: number;
  /** Since when some member's socket is lost; undefined while all are there. */
  readonly awaySinceMs: number | undefined;
  /** When a newcomer may interrupt; undefined while none waits. */
  readonly joinAtMs: number | undefined;
  /** No newcomer interrupts before: what the last ones cost is worked off first. */
  readonly cautiousUntilMs: number;
  /** How long it took to form the last group that had newcomers. */
  readonly joinCostMs: number;
}

/** Rounds that the record knows to be committed. */
export function recordedRounds({ record }: { readonly record: readonly CommittedRound[] }): number {
  return (record.at(-1)?.round ?? -1) + 1;
}

export type RunInput =
  /** The workers that this run may use have changed. `lost` says why those that are missing now are gone. */
  | {
      readonly type: 'workers';
      readonly atMs: number;
      readonly workers: readonly RunWorker[];
      /** Workers that other runs and programs have. */
      readonly busy: number;
      readonly lost: ReadonlyMap<string, string>;
    }
  | {
      readonly type: 'message';
      readonly atMs: number;
      readonly workerId: string;
      readonly message: RunMessage;
    }
  /** The time that wakeAtMs named has come. */
  | { readonly type: 'tick'; readonly atMs: number }
  /** Answers `checkBlob`. */
  | {
      readonly type: 'blob';
      readonly atMs: number;
      readonly check: BlobCheck;
      readonly found: 'there' | 'missing' | 'unknown';
    }
  /** Answers `audit`. */
  | {
      readonly type: 'audited';
      readonly atMs: number;
      readonly generation: number;
      readonly verdict: Verdict;
    }
  | { readonly type: 'stop'; readonly atMs: number; readonly reason: string }
  | { readonly type: 'fail'; readonly atMs: number; readonly error: Error };

export type RunCommand =
  | {
      readonly type: 'send';
      readonly workerId: string;
      readonly message: CoordinatorMessage;
    }
  /** Claim the members and tell each its place; `rounds` are what they must catch up to. */
  | {
      readonly type: 'assign';
      readonly generation: number;
      readonly members: readonly Member[];
      readonly rounds: readonly CommittedRound[];
      readonly committedRounds: number;
      readonly isChecked: boolean;
      readonly savedState: SavedState | undefined;
    }
  /** Have a worker that is no member load what a place would need. */
  | {
      readonly type: 'prepare';
      readonly workerId: string;
      readonly generation: number;
      readonly leases: readonly Lease[];
      /** The group, which it connects to, and the rounds that it must catch up to. */
      readonly members: readonly Pick<Member, 'workerId' | 'peerId'>[];
      readonly peerId: string;
      readonly rounds: readonly CommittedRound[];
      readonly agreedRounds: number;
    }
  | { readonly type: 'unclaim'; readonly workerId: string }
  | { readonly type: 'checkBlob'; readonly check: BlobCheck }
  /** Ask these for fingerprints of the rounds [firstRound, endRound), by a seed that nobody knew before. */
  | {
      readonly type: 'check';
      readonly generation: number;
      readonly firstRound: number;
      readonly endRound: number;
      readonly workerIds: readonly string[];
      /** By the last seed once more: the question may have been lost with a socket. */
      readonly isAgain?: boolean;
    }
  /** Find out whether rounds are right, by the seed of the last `check`. */
  | ({ readonly type: 'audit'; readonly generation: number } & Omit<AuditTask, 'seed'>)
  | { readonly type: 'passCheck'; readonly workerIds: readonly string[]; readonly rounds: number }
  /** A worker is proven to have lied. */
  | { readonly type: 'convict'; readonly workerId: string; readonly evidence: LieEvidence }
  /** A worker's message can not be, though its form is right: the pool counts it. */
  | { readonly type: 'malformed'; readonly workerId: string; readonly what: string }
  | { readonly type: 'emit'; readonly event: RunEvent }
  | {
      readonly type: 'log';
      readonly level: 'info' | 'warn';
      readonly message: string;
    }
  | {
      readonly type: 'end';
      readonly result: RunOutcome | TabgradError | Error;
    };

export const noDisputes: Disputes = { inARow: 0, total: 0 };

/** @param record of an earlier life of the coordinator; the run goes on with this very array. */
export function initialRunState(record: CommittedRound[] = []): RunState {
  return {
    phase: 'waiting',
    generation: 0,
    workers: new Map(),
    members: [],
    engaged: new Set(),
    setAside: new Map(),
    delays: new Map(),
    doubts: new Map(),
    disturbances: new Map(),
    suspects: new Map(),
    worked: new Map(),
    waits: new Map(),
    withholders: new Set(),
    failed: new Map(),
    disputes: noDisputes,
    unexplained: { round: -1, times: 0 },
    prepared: new Map(),
    holds: new Map(),
    record,
    votes: new RoundVotes(),
    states: new StateVotes(),
    checks: new RoundChecks({ isOn: false, areAlone: false }, 0, []),
    places: [],
    heard: new Map(),
    differing: new Map(),
    finished: new Map(),
    stepChecks: noStepChecks,
    blobChecks: 0,
    profiledGeneration: 0,
    storingGroups: 0,
    withheldAtMs: undefined,
    savedState: undefined,
    isComplete: false,
    groupSize: 0,
    group: new Set(),
    formedAtMs: 0,
    begunAtMs: undefined,
    roster: [],
    stateHolders: new Set(),
    agreed: new Map(),
    recordAtFormation: 0,
    announcedRounds: 0,
    msPerRow: new Map(),
    weights: new Map(),
    planChangedAtRound: 0,
    failures: 0,
    fruitless: noFruitless,
    halt: undefined,
    stopReason: undefined,
    waitingReason: undefined,
    busy: 0,
    formAtMs: 0,
    roundSinceMs: 0,
    lastRoundsMs: [],
    progressAtMs: 0,
    awaySinceMs: undefined,
    joinAtMs: undefined,
    cautiousUntilMs: 0,
    joinCostMs: 0,
  };
}
