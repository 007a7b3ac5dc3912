// Drives the run machine by hand: members say what a test has them say, and what the machine commands is kept.

import { createHash } from 'node:crypto';
import { gbdtRun } from '../../../../coordinator/core/run/gbdtRun.ts';
import { usefulWorkers } from '../../../../coordinator/core/run/leasePlan.ts';
import { stepRun } from '../../../../coordinator/core/run/runMachine.ts';
import { wakeAtMs } from '../../../../coordinator/core/run/ticks.ts';
import type { CommittedRound, RunEvent } from '../../../../coordinator/core/run/runRequest.ts';
import { defaultTiming } from '../../../../coordinator/core/run/runPlan.ts';
import { initialRunState } from '../../../../coordinator/core/run/runState.ts';
import type { RunPlan } from '../../../../coordinator/core/run/runPlan.ts';
import type { RunCommand, RunInput, RunState, RunWorker } from '../../../../coordinator/core/run/runState.ts';
import type {
  CoordinatorMessage,
  HeardGathers,
  Lease,
  WorkerMessageOf,
} from '../../../../shared/protocol/control.ts';
import type { RunMessage } from '../../../../coordinator/core/pool/poolWorker.ts';

export function makeShards(count: number): Lease[] {
  return Array.from({ length: count }, (_, index) => ({
    dataset: 'train',
    index,
    firstRow: index * 1000,
    rows: 1000,
    sha256: index.toString(16).padStart(64, '0'),
    sizeBytes: 10,
  }));
}

export function makeWorker(workerId: string, change: Partial<RunWorker> = {}): RunWorker {
  return {
    workerId,
    peerId: `peer-${workerId}`,
    runtime: 'node',
    device: 'cpu',
    deviceName: 'JavaScript',
    isOwners: true,
    present: true,
    leaving: false,
    session: 1,
    ...change,
  };
}

const treesSha256 = (trees: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(trees)).digest('hex');

/** What a member says of a round, as far as it is not the truth. */
type SaidOfRound = { readonly tree?: string } & Partial<Omit<WorkerMessageOf<'committed'>, 'type'>>;

/** Drives the machine and keeps what it commanded. */
export class Bench {
  state: RunState = initialRunState();
  atMs = 0;
  readonly plan: RunPlan;
  commands: RunCommand[] = [];
  #recorded: CommittedRound[] = [];

  constructor(plan: Partial<RunPlan> = {}) {
    const { shards = makeShards(8) } = plan;
    this.plan = {
      runId: 'run',
      shards,
      kind: gbdtRun,
      readPayload: (trees) => ({ sha256: treesSha256(trees), sizeBytes: 10 }),
      totalRows: shards.length * 1000,
      isProfiled: false,
      usefulWorkers: usefulWorkers(shards),
      sharesRows: false,
      checks: 'never',
      movesShards: true,
      workers: { min: 2, max: 2 },
      totalRounds: 10,
      maxFailures: 0,
      isEnough: (round) => {
        this.#recorded.push(round);
        return false;
      },
      timing: defaultTiming,
      ...plan,
    };
  }

  input(input: RunInput): void {
    this.#recorded = [];
    const [state, commands] = stepRun(this.plan, this.state, input);
    this.state = state;
    this.commands = [...commands];
  }

  workers(...workers: RunWorker[]): void {
    this.input({ type: 'workers', atMs: this.atMs, workers, busy: 0, lost: new Map() });
  }

  message(workerId: string, message: { type: RunMessage['type'] } & Record<string, unknown>): void {
    const whole = { runId: 'run', generation: this.state.generation, ...message } as unknown as RunMessage;
    this.input({ type: 'message', atMs: this.atMs, workerId, message: whole });
  }

  tick(): void {
    this.atMs = wakeAtMs(this.plan, this.state);
    this.input({ type: 'tick', atMs: this.atMs });
  }

  ready(...workerIds: string[]): void {
    for (const workerId of workerIds) this.message(workerId, { type: 'ready', links: [] });
  }

  /** A newcomer has loaded what it was told to. */
  prepared(workerId: string): void {
    this.message(workerId, { type: 'prepared' });
  }

  committed(workerId: string, round: number, computeMs = 5): void {
    this.says(workerId, round, { computeMs });
  }

  /** A member tells of a round: the truth, unless it says something else. */
  says(workerId: string, round: number, { tree = `tree ${round}`, ...other }: SaidOfRound = {}): void {
    const isFirst = this.state.members.find((member) => member.workerId === workerId)?.rank === 0;
    this.message(workerId, {
      type: 'committed',
      round,
      computeMs: 5,
      exchangeMs: 1,
      bytesSent: 1,
      payloadSha256: treesSha256([tree]),
      metrics: { loss: round },
      ...(isFirst && { payload: [tree] }),
      ...other,
    });
  }

  /** All members commit a round, in the order of their ranks. */
  allCommitted(round: number): void {
    for (const { workerId } of this.state.members) this.committed(workerId, round);
  }

  /** Answers a halt with the rounds from `from` on. */
  halted(
    workerId: string,
    committedRounds: number,
    from = committedRounds,
    tree = 'tree',
    heard: readonly HeardGathers[] = [],
  ): void {
    const rounds = Array.from({ length: committedRounds - from }, (_, i) => ({
      round: from + i,
      payload: [`${tree} ${from + i}`],
      metrics: { loss: from + i },
    }));
    this.message(workerId, { type: 'halted', committedRounds, rounds, heard });
  }

  sent(type: CoordinatorMessage['type']): { workerId: string; message: CoordinatorMessage }[] {
    return this.commands.flatMap((command) =>
      command.type === 'send' && command.message.type === type
        ? [{ workerId: command.workerId, message: command.message }]
        : [],
    );
  }

  events<T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.commands.flatMap((command) =>
      command.type === 'emit' && command.event.type === type
        ? [command.event as Extract<RunEvent, { type: T }>]
        : [],
    );
  }

  result(): unknown {
    return this.commands.flatMap((command) => (command.type === 'end' ? [command.result] : []))[0];
  }

  /** Messages that the last input counted as malformed. */
  malformed(): { workerId: string; what: string }[] {
    return this.commands.flatMap((command) => (command.type === 'malformed' ? [command] : []));
  }

  /** Ids by rank. */
  get group(): string[] {
    return this.state.members.map((member) => member.workerId);
  }

  /** Rounds that the last input recorded. */
  recorded(): CommittedRound[] {
    return this.#recorded;
  }

  /** Workers in the middle of training, in the order of their ranks. */
  training(...workerIds: string[]): this {
    const ids = workerIds.length > 0 ? workerIds : ['a', 'b'];
    this.workers(...ids.map((workerId) => makeWorker(workerId)));
    if (this.state.phase === 'waiting') this.tick();
    this.ready(...this.group);
    return this;
  }
}
