// A run as one worker holds it, over all generations that it takes part in. The session knows this interface alone; each
// kind of run (trees, neural nets) implements it.

import type { Collective } from '../../shared/collective/collective.ts';
import type {
  CheckedRound,
  CoordinatorMessageOf,
  Member,
  WorkerMessageOf,
} from '../../shared/protocol/control.ts';
import type { Link } from '../transport/link.ts';
import type { SessionEnvironment } from './sessionEnvironment.ts';

export type Assignment = CoordinatorMessageOf<'assign'>;

/** One generation, when its links are up. */
export interface GenerationContext {
  readonly links: ReadonlyMap<string, Link>;
  /** Over the links; a group of one needs none. */
  readonly collective: Collective;
  readonly members: readonly Member[];
  readonly rank: number;
  readonly generation: number;
  readonly environment: SessionEnvironment;
  readonly signal: AbortSignal;
  /** Committed rounds at which this generation ends; infinite unless the coordinator asked. */
  readonly haltAtRounds: () => number;
  /** Whether the coordinator wants the state stored at the halt: no group follows. */
  readonly keepsState: () => boolean;
}

/** A place that is not assigned yet. */
export type ComingPlace = CoordinatorMessageOf<'prepare'>;

export interface MemberRun {
  readonly runId: string;
  /** Loads what such a place will need, as far as that can be had outside a group. */
  preload(place: ComingPlace, signal: AbortSignal): Promise<void>;
  /** Rounds (steps) that are committed here. */
  readonly committedRounds: number;
  /** Why the device was lost, once it is: the run is then opened anew for the next generation. */
  readonly lostReason: string | undefined;
  /** The members agree among themselves on the round before which a halt ends the generation. */
  readonly endsTogether: boolean;
  /**
   * Takes a place: fetches what it needs and goes to the committed rounds, as far as no peer is needed for that.
   * @param onRows called with the rows held so far and those to hold.
   */
  prepare(
    assignment: Assignment,
    signal: AbortSignal,
    onRows: (rowsLoaded: number, rowsTotal: number) => void,
  ): Promise<void>;
  /** What is settled among the members before any of them says that it is ready. */
  meet(context: GenerationContext): Promise<void>;
  /** Resolves after the last round, at the halt that was asked for, or when the owner's loop has returned. */
  train(context: GenerationContext): Promise<void>;
  /** Rounds that the coordinator lacks, for the answer to a halt. */
  knownRounds(firstRound: number): WorkerMessageOf<'halted'>['rounds'];
  /** Fingerprints of what was summed up in these rounds of the last generation; absent where the kind of run has none. */
  checkRounds?(check: CoordinatorMessageOf<'check'>): CheckedRound[];
  close(): Promise<void>;
}

export interface MemberRunKind {
  /** @param spec the run's spec as it was fetched, not checked yet. */
  open(
    place: Pick<Assignment, 'runId'>,
    spec: unknown,
    environment: SessionEnvironment,
    signal: AbortSignal,
  ): Promise<MemberRun>;
}
