// One random life of a run: workers join, leave, sleep, are cut off and killed at any point for a while, the coordinator
// too where asked; then there is peace, and the run must finish. Everything follows from the seed.

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Pool } from '../../coordinator/core/pool/pool.ts';
import { RunDriver } from '../../coordinator/core/run/runDriver.ts';
import { RunLog } from '../../coordinator/core/run/runLog.ts';
import type { RunFact } from '../../coordinator/core/run/runRecord.ts';
import type {
  CommittedRound,
  RunEvent,
  RunOutcome,
  RunRequest,
} from '../../coordinator/core/run/runRequest.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { ManualClock, settled } from '../setup/manualClock.ts';
import type { EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import type { Lie } from './lies.ts';
import { MemoryRecord } from './memoryRecord.ts';
import { PeerNetwork } from './peerNetwork.ts';
import { RandomChoices } from './randomChoices.ts';
import { contentOf } from './simulatedTree.ts';
import { SimulatedWorker } from './simulatedWorker.ts';
import type { SimulatedWorld, Stall } from './simulatedWorker.ts';

export interface Life {
  readonly outcome: RunOutcome;
  readonly events: readonly RunEvent[];
  readonly generations: number;
  readonly virtualMs: number;
  readonly mishaps: number;
  readonly restarts: number;
}

export interface LifeOptions {
  readonly rounds?: number;
  readonly shards?: number;
  readonly min?: number;
  readonly max?: number;
  readonly firstWorkers?: number;
  readonly chaosMs?: number;
  /** Mean time between mishaps. */
  readonly calmMs?: number;
  readonly roundMs?: number;
  readonly stopAfterRound?: number;
  /** Whether the coordinator is killed now and then, and comes back with what it kept. */
  readonly restarts?: boolean;
  /** Whether pages are loaded anew now and then, and go on as the same workers. */
  readonly reloads?: boolean;
  /** Workers that lie, and how; numbered in order of joining. */
  readonly liars?: Readonly<Record<string, Lie>>;
  /** Workers that hold all others up, and how. */
  readonly stallers?: Readonly<Record<string, Stall>>;
  /** Honest workers that may be taken for liars: they face one alone. */
  readonly mayBlame?: readonly string[];
  /** Workers that can't reach each other by any path, e.g. "w1|w2"; workers are numbered in order of joining. */
  readonly brokenPairs?: readonly string[];
}

const SPARE_WORKERS = 12;
/**
 * After the chaos everything must be done within this and the time of the rounds: the longest sleep (40 s), the grace
 * of who does not come back (15 + 20 s), and a few generations. No deadline of the run itself (120 s and more) may be
 * what gets it going again.
 */
const PATIENCE_MS = 100_000;

export async function simulateRun(seed: number, options: LifeOptions = {}): Promise<Life> {
  const life = new SimulatedLife(seed, options);
  try {
    return await life.live();
  } catch (error) {
    const story = life.log.slice(-60).join('\n');
    throw new Error(`${(error as Error).message}\nseed ${seed}:\n${story}`, { cause: error });
  }
}

class SimulatedLife {
  readonly log: string[] = [];
  readonly #options: LifeOptions;
  readonly #random: RandomChoices;
  readonly #clock = new ManualClock();
  readonly #world: SimulatedWorld;
  readonly #min: number;
  readonly #chaosMs: number;
  readonly #shards: readonly Lease[];
  readonly #request: RunRequest;
  readonly #record = new MemoryRecord();
  readonly #blobs = new Map<string, unknown>();
  #pool: Pool;
  #driver: RunDriver;
  #isUp = true;
  #restarts = 0;
  #madeWorkers = 0;
  readonly #events: RunEvent[] = [];
  readonly #recorded: CommittedRound[] = [];
  readonly #workers: SimulatedWorker[] = [];
  #mishaps = 0;
  #spareWorkers = SPARE_WORKERS;
  #result: RunOutcome | Error | undefined;

  constructor(seed: number, options: LifeOptions) {
    this.#options = options;
    const random = (this.#random = new RandomChoices(seed));
    const clock = this.#clock;
    this.#min = options.min ?? random.integer(1, 3);
    this.#chaosMs = options.chaosMs ?? random.between(0, 60_000);
    this.#shards = makeShards(options.shards ?? random.integer(1, 12));
    this.#pool = this.#makePool();
    const currentPool = (): Pool => this.#pool;
    this.#world = {
      clock,
      random,
      get pool() {
        return currentPool();
      },
      network: new PeerNetwork(clock, random),
      blobs: this.#blobs,
      roundMs: options.roundMs ?? random.pick([5, 100, 600]),
      numBoostRound: options.rounds ?? random.pick([1, 2, 30, 150]),
      liars: options.liars ?? {},
      stallers: options.stallers ?? {},
    };
    for (const pair of options.brokenPairs ?? []) this.#world.network.brokenPairs.add(pair);
    this.#request = this.#makeRequest();
    this.#driver = this.#drive();
  }

  /** The driver of a new life of the coordinator, on what an earlier one kept. */
  #drive(): RunDriver {
    const { saved } = this.#record;
    const log = new RunLog(this.#record, 'run', saved?.lastSequence);
    const pool = this.#pool;
    const isAlive = (): boolean => this.#pool === pool && this.#isUp;
    const driver = new RunDriver({
      request: this.#request,
      pool,
      clock: this.#clock,
      log: ({ message }) => this.#note(message),
      keep: (facts) => this.#keep(log, facts, isAlive),
      saved,
      blobs: {
        putJson: (value) => {
          const sha256 = createHash('sha256').update(JSON.stringify(value)).digest('hex');
          this.#blobs.set(sha256, JSON.parse(JSON.stringify(value)));
          return Promise.resolve({ sha256, sizeBytes: 1 });
        },
        sizeBytes: () => Promise.resolve(undefined),
      },
    });
    driver.onEvent((event) => this.#observe(event));
    driver.done.then(
      (outcome) => isAlive() && (this.#result = outcome),
      (error: Error) => isAlive() && (this.#result = error),
    );
    return driver;
  }

  /** Where the coordinator may be killed, writing takes a moment: what is under way then may be kept or not. */
  async #keep(log: RunLog, facts: readonly RunFact[], isAlive: () => boolean): Promise<void> {
    if (this.#options.restarts === true) {
      await new Promise<void>((resolve) => void this.#clock.after(this.#random.between(0, 30), resolve));
      if (!isAlive()) return new Promise(() => undefined);
    }
    await log.write(facts);
  }

  /** Kill -9: what was not kept is gone, and so is every socket. */
  #killCoordinator(): void {
    if (!this.#isUp || this.#result) return;
    this.#isUp = false;
    this.#restarts += 1;
    void this.#driver.abandon(new Error('killed'));
    for (const worker of this.#workers) worker.dropSocket(Infinity);
    this.#pool = this.#makePool();
    this.#pool.close('there is nobody');
    this.#recorded.length = this.#record.keptRounds.length;
    this.#clock.after(this.#random.pick([10, 1_000, 20_000]) * this.#random.between(0.5, 1), () => {
      this.#pool = this.#makePool();
      this.#isUp = true;
      this.#note('the coordinator is back');
      this.#driver = this.#drive();
    });
  }

  async live(): Promise<Life> {
    this.#schedule();
    const { numBoostRound, roundMs } = this.#world;
    const deadlineMs = this.#chaosMs + PATIENCE_MS + numBoostRound * (1.5 * roundMs + 100);
    await settled();
    for (let result = this.#result; ; result = this.#result) {
      if (result instanceof Error) throw result;
      if (result && this.#isUp) return this.#check(result);
      if (this.#clock.now() > deadlineMs) throw new Error('the run did not finish');
      this.#clock.step();
      await settled();
      checkWaiting(this.#driver);
    }
  }

  #check(outcome: RunOutcome): Life {
    checkRecord(outcome, this.#recorded, this.#world.numBoostRound, this.#options.stopAfterRound);
    checkAnnouncements(this.#record, outcome);
    const { liars = {}, mayBlame = [] } = this.#options;
    checkBlame(this.log, [...Object.keys(liars), ...mayBlame]);
    for (const { round, payload } of outcome.rounds) {
      if (!this.#world.network.made.has(contentOf(payload[0] as EncodedTree)))
        throw new Error(`round ${round} of the record was never made`);
    }
    return {
      outcome,
      events: this.#events,
      generations: this.#driver.state.generation,
      virtualMs: this.#clock.now(),
      mishaps: this.#mishaps,
      restarts: this.#restarts,
    };
  }

  #note(line: string): void {
    this.log.push(`${Math.round(this.#clock.now())} ${line}`);
  }

  #makePool(): Pool {
    return new Pool({
      clock: this.#clock,
      log: ({ message }) => this.#note(message),
      peerServer: { path: '/peerjs', key: 'x' },
      iceServers: () => [],
      makeWorkerId: () => `w${(this.#madeWorkers += 1)}`,
      identityKey: 'key',
    });
  }

  #makeRequest(): RunRequest {
    const max = Math.max(this.#min, this.#options.max ?? this.#random.integer(1, 6));
    return {
      runId: 'run',
      name: 'simulated',
      spec: { trainer: 'gbdt', numBoostRound: this.#world.numBoostRound },
      shards: this.#shards,
      workers: { min: this.#min, max },
      maxFailures: -1,
      shouldStop: (round: CommittedRound) => {
        if (round.round !== this.#recorded.length) {
          throw new Error(`round ${round.round} recorded after ${this.#recorded.length - 1}`);
        }
        this.#recorded.push(round);
        return round.round === this.#options.stopAfterRound;
      },
    } as unknown as RunRequest;
  }

  #observe(event: RunEvent): void {
    this.#events.push(event);
    this.#note(`EVENT ${event.type === 'round' ? `round ${event.committed.round}` : JSON.stringify(event)}`);
    // Events are told after they are kept; the group may be another by then.
    if (event.type !== 'group' || event.generation !== this.#driver.state.generation) return;
    const leases = this.#driver.state.members.map((member) => member.leases);
    checkLeases(this.#shards, leases);
  }

  #addWorker(): void {
    this.#workers.push(new SimulatedWorker(this.#world));
  }

  #schedule(): void {
    const random = this.#random;
    const calmMs = this.#options.calmMs ?? random.pick([200, 800, 4_000]);
    const firstWorkers = this.#options.firstWorkers ?? random.integer(0, 5);
    for (let i = 0; i < firstWorkers; i += 1) {
      this.#clock.after(random.between(0, 2_000), () => this.#addWorker());
    }
    const disturb = (): void => {
      if (this.#clock.now() >= this.#chaosMs || this.#result) return;
      this.#mishap();
      this.#clock.after(calmMs * random.between(0.1, 2), disturb);
    };
    this.#clock.after(calmMs, disturb);
    // Peace: enough workers come for the run to go on.
    this.#clock.after(this.#chaosMs + 1, () => {
      for (let i = 0; i < this.#min; i += 1) this.#addWorker();
    });
  }

  /** Its former socket may look open for long. */
  #reload(worker: SimulatedWorker, noticeMs: number): void {
    if (this.#random.chance(0.5)) worker.closePage();
    else worker.kill(noticeMs);
    this.#clock.after(this.#random.between(1, 2_000), () => {
      this.#workers.push(new SimulatedWorker(this.#world, worker));
    });
  }

  #mishap(): void {
    const random = this.#random;
    this.#mishaps += 1;
    const well = this.#workers.filter((worker) => worker.isWell);
    const victim = well.length > 0 ? random.pick(well) : undefined;
    const noticeMs = random.chance(0.3) ? Infinity : random.between(0, 500);
    const join = (): void => {
      this.#spareWorkers -= 1;
      if (this.#spareWorkers >= 0) this.#addWorker();
    };
    const [name, happen] = random.pick<readonly [string, () => void]>([
      ['join', join],
      ['join', join],
      ['cut off', () => victim?.dropSocket(noticeMs)],
      ['cut off', () => victim?.dropSocket(noticeMs)],
      ['kill', () => victim?.kill(noticeMs)],
      ['sleep', () => victim?.sleep(random.between(100, 40_000))],
      ['leave', () => victim?.leave()],
      ['stumble', () => victim?.stumble()],
      ['fail', () => random.chance(0.3) && victim?.fail()],
      ...(this.#options.reloads === true
        ? [['reload', () => victim && this.#reload(victim, noticeMs)] as const]
        : []),
      ...(this.#options.restarts === true
        ? [['kill the coordinator', () => this.#killCoordinator()] as const]
        : []),
    ]);
    this.#note(`MISHAP ${name} ${victim?.workerId}`);
    happen();
  }
}

function makeShards(count: number): Lease[] {
  return ['train', 'valid'].flatMap((dataset) =>
    Array.from({ length: dataset === 'train' ? count : Math.ceil(count / 3) }, (_, index) => ({
      dataset,
      index,
      firstRow: index * 100,
      rows: 100,
      sha256: createHash('sha256').update(`${dataset}${index}`).digest('hex'),
      sizeBytes: 1_000,
    })),
  );
}

/** Every shard is leased exactly once, and everybody has something to train on. */
function checkLeases(shards: readonly Lease[], leases: readonly (readonly Lease[])[]): void {
  const name = (lease: Lease): string => `${lease.dataset}/${lease.index}`;
  const wanted = shards.map(name).sort().join();
  const given = leases.flat().map(name).sort().join();
  if (wanted !== given) throw new Error(`leases ${given} instead of ${wanted}`);
  for (const mine of leases) {
    if (!mine.some((lease) => lease.dataset === 'train')) throw new Error('a member has nothing to train on');
  }
}

/** A run that waits for workers says so. */
function checkWaiting(driver: RunDriver): void {
  const { phase, workers, waitingReason } = driver.state;
  if (phase === 'waiting' && workers.size > 0 && driver.state.formAtMs === 0 && waitingReason === undefined) {
    throw new Error('the run waits without a reason');
  }
}

function checkRecord(
  outcome: RunOutcome,
  recorded: readonly CommittedRound[],
  numBoostRound: number,
  stopAfterRound: number | undefined,
): void {
  const expected = stopAfterRound === undefined ? numBoostRound : Math.min(numBoostRound, stopAfterRound + 1);
  if (outcome.status !== 'finished' || outcome.rounds.length !== expected) {
    throw new Error(`${outcome.status} with ${outcome.rounds.length} of ${expected} rounds`);
  }
  for (const [i, round] of outcome.rounds.entries()) {
    if (round.round !== i || !isDeepStrictEqual(round, recorded[i]))
      throw new Error(`round ${i} of the outcome is not the recorded one`);
  }
}

/** Workers that only come and go are never taken for liars. */
function checkBlame(log: readonly string[], liars: readonly string[]): void {
  const blame = log.find((line) => {
    const [, workerId] = / Worker (\S+) .*(?:malformed|for good)/.exec(line) ?? [];
    const isDispute = liars.length === 0 && line.includes('nobody can tell');
    return isDispute || (workerId !== undefined && !liars.includes(workerId));
  });
  if (blame !== undefined) throw new Error(`an honest worker was blamed: ${blame}`);
}

/** Rounds are announced once and in order, over all lives of the coordinator. */
function checkAnnouncements(record: MemoryRecord, outcome: RunOutcome): void {
  const announced = record.keptEvents.flatMap(({ event }) => (event.type === 'round' ? [event.round] : []));
  const expected = outcome.rounds.map((round) => round.round);
  if (announced.join() !== expected.join()) throw new Error(`announced ${announced.join()}`);
  if (!isDeepStrictEqual(record.keptRounds, outcome.rounds)) throw new Error('other rounds are kept');
}
