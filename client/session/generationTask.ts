// One generation of a run, as one member lives it: load and catch up, connect, say ready, wait for begin, train until
// told to halt, until a peer is missing, or until the last round.

import { PeerMessageError } from '../../shared/collective/peerMessage.ts';
import { AbortedError, DeadlineError, TabgradError } from '../../kernels/errors.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { deferred } from '../../shared/deferred.ts';
import type { HeardGathers } from '../../shared/protocol/control.ts';
import { whenAborted } from '../../shared/whenAborted.ts';
import { LinkCollective } from '../collective/linkCollective.ts';
import type { Link, PeerAddress } from '../transport/link.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { GenerationContext, MemberRun } from '../memberRun/memberRun.ts';
import type { SessionEnvironment } from '../memberRun/sessionEnvironment.ts';
import type { Assignment } from '../memberRun/memberRun.ts';

/** How a generation ended here. A withdrawn one was cut short by halt or by a newer assignment. */
export type GenerationEnd =
  | { readonly kind: 'trained' | 'withdrawn' }
  | {
      readonly kind: 'stalled';
      readonly missing: readonly string[];
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
    };

export class GenerationTask {
  readonly assignment: Assignment;
  readonly #environment: SessionEnvironment;
  readonly #openRun: (assignment: Assignment, signal: AbortSignal) => Promise<MemberRun>;
  readonly #controller = new AbortController();
  readonly #begun = deferred<void>();
  #haltAtRounds = Number.POSITIVE_INFINITY;
  #keepsState = false;
  #links: ReadonlyMap<string, Link> = new Map();
  #run: MemberRun | undefined;
  #stopExpecting: () => void = () => undefined;
  #missing: () => readonly string[] = () => [];
  #heard: () => Promise<HeardGathers[]> = () => Promise.resolve([]);
  /** Resolves when nothing of this generation is going on any more. Never rejects. */
  readonly ended: Promise<GenerationEnd>;

  constructor(
    assignment: Assignment,
    environment: SessionEnvironment,
    openRun: (assignment: Assignment, signal: AbortSignal) => Promise<MemberRun>,
  ) {
    this.assignment = assignment;
    this.#environment = environment;
    this.#openRun = openRun;
    this.ended = this.#work()
      .catch((error: unknown) => this.#judge(error))
      .finally(() => this.#stopExpecting());
  }

  /** Members for whom this one was waiting when the generation ended here. */
  get missing(): readonly string[] {
    return this.#missing();
  }

  /** What this member got of each of the group. */
  heard(): Promise<HeardGathers[]> {
    return this.#heard();
  }

  begin(): void {
    this.#begun.resolve();
  }

  /** Ends the generation at once. */
  withdraw(reason: string): void {
    this.#controller.abort(new AbortedError(reason));
  }

  /** Ends the generation when `rounds` rounds are committed here; at once when that is so already. */
  haltAtRounds(rounds: number, reason: string, keepsState: boolean): void {
    this.#haltAtRounds = rounds;
    this.#keepsState = keepsState;
    if (this.#run?.endsTogether === true) return;
    if (this.#run === undefined || this.#run.committedRounds >= rounds) this.withdraw(reason);
  }

  /**
   * Links outlive the generation until the coordinator has moved on: a peer may still be receiving the last frames of
   * the round that this member has committed.
   */
  closeLinks(): void {
    for (const link of this.#links.values()) link.close(`generation ${this.assignment.generation} is over`);
  }

  /** The same where another generation follows: those who are in it, too, need not connect anew. */
  parkLinks(): void {
    const reason = `generation ${this.assignment.generation} is over`;
    for (const link of this.#links.values()) {
      if (link.park) link.park(reason);
      else link.close(reason);
    }
  }

  async #work(): Promise<GenerationEnd> {
    const { runId, generation, members, rank } = this.assignment;
    const signal = this.#controller.signal;
    const environment = this.#environment;
    const others = othersOf(this.assignment, environment.workerId);
    const group = `${runId}/${generation}`;
    // Peers that have loaded their rows earlier dial at once.
    this.#stopExpecting = environment.connector.expect(others, group);
    const onRows = (rowsLoaded: number, rowsTotal: number): void => {
      environment.onStatus?.({ state: 'loading', runId, rowsLoaded, rowsTotal });
      environment.send({ type: 'loading', runId, generation, rowsLoaded, rowsTotal });
    };
    // Tells the coordinator at once that the place is taken, however long the first rows take.
    onRows(
      0,
      this.assignment.leases.reduce((rows, lease) => rows + lease.rows, 0),
    );
    const run = await this.#openRun(this.assignment, signal);
    this.#run = run;
    await run.prepare(this.assignment, signal, onRows);

    environment.onStatus?.({
      state: 'connecting',
      runId,
      peers: others.length,
    });
    const unlinked = new Set(others.map(({ workerId }) => workerId));
    this.#missing = () => [...unlinked];
    const onLink = (workerId: string): void => void unlinked.delete(workerId);
    const links = await environment.connector.connect(others, { group, signal, onLink });
    this.#links = links;
    const ranked = [...members].sort((a, b) => a.rank - b.rank).map((member) => member.workerId);
    const collective = new LinkCollective({ rank, members: ranked, links, generation });
    this.#missing = () => collective.missing;
    this.#heard = () => collective.witness.heard();
    const context: GenerationContext = {
      links,
      collective,
      members,
      rank,
      generation,
      environment,
      signal,
      haltAtRounds: () => this.#haltAtRounds,
      keepsState: () => this.#keepsState,
    };
    await run.meet(context);
    environment.send({
      type: 'ready',
      runId,
      generation,
      links: [...links.values()].map((link) => ({
        workerId: link.peer,
        path: link.path,
      })),
    });
    await Promise.race([this.#begun.promise, whenAborted(signal), whenAnyCloses(links)]);
    await run.train(context);
    return { kind: 'trained' };
  }

  #judge(error: unknown): GenerationEnd {
    if (this.#run?.lostReason !== undefined) {
      const message = `the device of this worker was lost: ${this.#run.lostReason}`;
      return { kind: 'stalled', missing: [], code: 'DEVICE_LOST', message };
    }
    if (this.#controller.signal.aborted) return { kind: 'withdrawn' };
    const message = messageOf(error);
    if (!(error instanceof TabgradError)) {
      this.#environment.log(error instanceof Error ? (error.stack ?? message) : message);
      return { kind: 'failed', code: 'INTERNAL', message };
    }
    if (error.code === 'DEVICE_LOST') return { kind: 'stalled', missing: [], code: error.code, message };
    const named =
      error instanceof PeerMessageError ? error.peers : error.place.peer ? [error.place.peer] : undefined;
    if (named || error instanceof DeadlineError) {
      return { kind: 'stalled', missing: named ?? [], code: error.code, message };
    }
    return { kind: 'failed', code: error.code, message };
  }
}

/** @throws BadAssignmentError where a member has no key. */
function othersOf({ members, linkKeys, runId, generation }: Assignment, self: string): PeerAddress[] {
  return members
    .filter(({ workerId }) => workerId !== self)
    .map(({ workerId, peerId }) => {
      const linkKey = linkKeys[workerId];
      if (linkKey !== undefined) return { workerId, peerId, linkKey };
      throw new BadAssignmentError(
        `Generation ${generation} of run ${runId} has no key for the link to member ${workerId}.`,
        { field: `linkKeys.${workerId}` },
      );
    });
}

async function whenAnyCloses(links: ReadonlyMap<string, Link>): Promise<never> {
  if (links.size === 0) return new Promise<never>(() => undefined);
  const { peer, reason } = await Promise.race(
    [...links.values()].map(async (link) => ({ peer: link.peer, reason: await link.closed })),
  );
  throw new DeadlineError(`worker ${peer} closed its link before the group began: ${reason}`, { peer });
}
