// One random life of a run: workers join, leave, sleep, are cut off and killed at any point for a while; then there is
// peace, and the run must finish. Everything follows from the seed.

import { createHash } from 'node:crypto';
import { Pool } from '../../coordinator/pool/pool.ts';
import { RunDriver } from '../../coordinator/run/runDriver.ts';
import type { CommittedRound, RunEvent, RunOutcome, RunRequest } from '../../coordinator/run/runRequest.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { ManualClock, settled } from './manualClock.ts';
import { PeerNetwork } from './peerNetwork.ts';
import { RandomChoices } from './randomChoices.ts';
import { SimulatedWorker } from './simulatedWorker.ts';
import type { SimulatedWorld } from './simulatedWorker.ts';

export interface Life {
  readonly outcome: RunOutcome;
  readonly events: readonly RunEvent[];
  readonly generations: number;
  readonly virtualMs: number;
  readonly mishaps: number;
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
}

const SPARE_WORKERS = 12;
/**
 * After the chaos everything must be done within this and the time of the rounds: the longest sleep (40 s), the grace
 * of who does not come back (15 + 20 s), and a few generations. No deadline of the run itself (120 s and more) may be
 * what gets it going again.
 */
const PATIENCE_MS = 100_000;

export async function simulateRun(seed: number, options: LifeOptions = {}): Promise<Life> {
  const random = new RandomChoices(seed);
  const clock = new ManualClock();
  const numBoostRound = options.rounds ?? random.pick([1, 2, 30, 150]);
  const min = options.min ?? random.integer(1, 3);
  const max = Math.max(min, options.max ?? random.integer(1, 6));
  const chaosMs = options.chaosMs ?? random.between(0, 60_000);
  const calmMs = options.calmMs ?? random.pick([200, 800, 4_000]);
  let made = 0;
  const log: string[] = [];
  const pool = new Pool({
    clock,
    log: ({ message }) => log.push(`${Math.round(clock.now())} ${message}`),
    peerServer: { path: '/peerjs', key: 'x' },
    iceServers: [],
    makeWorkerId: () => `w${(made += 1)}`,
  });
  const blobs = new Map<string, unknown>();
  const world: SimulatedWorld = {
    clock,
    random,
    pool,
    network: new PeerNetwork(clock, random),
    blobs,
    roundMs: options.roundMs ?? random.pick([5, 100, 600]),
    numBoostRound,
  };
  const shards = makeShards(options.shards ?? random.integer(1, 12));
  const recorded: CommittedRound[] = [];
  const request = {
    runId: 'run',
    name: 'simulated',
    spec: { numBoostRound },
    shards,
    workers: { min, max },
    maxFailures: -1,
    shouldStop: (round: CommittedRound) => {
      if (round.round !== recorded.length)
        throw new Error(`round ${round.round} recorded after ${recorded.length - 1}`);
      recorded.push(round);
      return round.round === options.stopAfterRound;
    },
  } as unknown as RunRequest;
  const driver = new RunDriver({
    request,
    pool,
    clock,
    log: ({ message }) => log.push(`${Math.round(clock.now())} ${message}`),
    blobs: {
      putJson: (value) => {
        const sha256 = createHash('sha256').update(JSON.stringify(value)).digest('hex');
        blobs.set(sha256, JSON.parse(JSON.stringify(value)));
        return Promise.resolve({ sha256, sizeBytes: 1 });
      },
    },
  });

  const events: RunEvent[] = [];
  driver.onEvent((event) => {
    events.push(event);
    if (event.type === 'group')
      checkLeases(
        shards,
        driver.state.members.map((member) => member.leases),
      );
    log.push(
      `${Math.round(clock.now())} EVENT ${event.type === 'round' ? `round ${event.committed.round}` : JSON.stringify(event)}`,
    );
  });
  const end: { result?: RunOutcome | Error } = {};
  driver.done.then(
    (outcome) => (end.result = outcome),
    (error: Error) => (end.result = error),
  );

  const workers: SimulatedWorker[] = [];
  const addWorker = (): void => void workers.push(new SimulatedWorker(world));
  for (let i = 0; i < (options.firstWorkers ?? random.integer(0, 5)); i += 1) {
    clock.after(random.between(0, 2_000), addWorker);
  }
  let mishaps = 0;
  let left = SPARE_WORKERS;
  const mishap = (): void => {
    if (clock.now() >= chaosMs || end.result) return;
    mishaps += 1;
    const alive = workers.filter((worker) => worker.isWell);
    const victim = alive.length > 0 ? random.pick(alive) : undefined;
    const notice = random.chance(0.3) ? Infinity : random.between(0, 500);
    const what = random.integer(0, 9);
    log.push(`${Math.round(clock.now())} MISHAP ${what} ${victim?.workerId}`);
    if (what <= 2 && left > 0) {
      left -= 1;
      addWorker();
    } else if (what <= 4) victim?.dropSocket(notice);
    else if (what === 5) victim?.kill(notice);
    else if (what === 6) victim?.sleep(random.between(100, 40_000));
    else if (what === 7) victim?.leave();
    else if (what === 8) victim?.stumble();
    else if (random.chance(0.3)) victim?.fail();
    clock.after(calmMs * random.between(0.1, 2), mishap);
  };
  clock.after(calmMs, mishap);
  // Peace: enough workers come for the run to go on.
  clock.after(chaosMs + 1, () => {
    for (let i = 0; i < min; i += 1) addWorker();
  });

  const deadlineMs = chaosMs + PATIENCE_MS + numBoostRound * (1.5 * world.roundMs + 100);
  const story = (): string => `seed ${seed}:\n${log.slice(-60).join('\n')}`;
  try {
    await settled();
    while (end.result === undefined) {
      if (clock.now() > deadlineMs) throw new Error('the run did not finish');
      clock.step();
      await settled();
      checkWaiting(driver);
    }
    const { result } = end;
    if (result instanceof Error) throw result;
    checkRecord(result, recorded, numBoostRound, options.stopAfterRound);
    if (driver.state.generation > 0) checkAnnouncements(events, result);
    const { generation } = driver.state;
    return { outcome: result, events, generations: generation, virtualMs: clock.now(), mishaps };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${story()}`, { cause: error });
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
    if (round.round !== i || round !== recorded[i])
      throw new Error(`round ${i} of the outcome is not the recorded one`);
  }
}

/** Rounds are announced once and in order. */
function checkAnnouncements(events: readonly RunEvent[], outcome: RunOutcome): void {
  const announced = events.flatMap((event) => (event.type === 'round' ? [event.committed.round] : []));
  const expected = outcome.rounds.map((round) => round.round);
  if (announced.join() !== expected.join()) throw new Error(`announced ${announced.join()}`);
}
