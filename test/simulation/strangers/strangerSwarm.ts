// A coordinator's pool and run with strangers in one process: real sessions on the cpu device, links in memory, real time. One
// or several of them lie; all else is as in production, but for sockets and processes.

import { Pool } from '../../../coordinator/core/pool/pool.ts';
import type { LieEvidence } from '../../../coordinator/core/pool/lieEvidence.ts';
import { RunDriver } from '../../../coordinator/core/run/runDriver.ts';
import type { RunOutcome } from '../../../coordinator/core/run/runRequest.ts';
import { LocalReplayer } from '../../../coordinator/core/trust/localReplayer.ts';
import { TreeAuditor } from '../../../coordinator/core/trust/treeAuditor.ts';
import { systemClock } from '../../../shared/clock.ts';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type WorkerMessage,
} from '../../../shared/protocol/control.ts';
import { RUN, SessionWorld, smallRun } from '../../client/session/sessionWorld.ts';
import { dishonest, type Lie, type LieRound } from './dishonest.ts';

export interface StrangersOptions {
  readonly members: number;
  /** Of these, from the first on, the owner's. */
  readonly owners?: number;
  readonly rounds: number;
  readonly shards?: number;
  readonly features?: number;
  /** Every member holds all rows, and grows whole trees alone. */
  readonly sharesRows?: boolean;
  /** By place of joining, from 0. */
  readonly liars?: Readonly<Record<number, { readonly lie: Lie; readonly lies: LieRound }>>;
  readonly checks?: 'auto' | 'always' | 'never';
}

export interface Strangers {
  readonly outcome: RunOutcome;
  /** Worker ids by place of joining. */
  readonly workerIds: readonly string[];
  readonly convicted: ReadonlyMap<string, LieEvidence>;
  /** Set aside for another reason. */
  readonly lost: ReadonlyMap<string, string>;
  /** The most rounds that any member had made when one was lost. */
  readonly madeWhenLost: ReadonlyMap<string, number>;
  readonly checksPassed: ReadonlyMap<string, number>;
  readonly log: readonly string[];
  readonly model: string;
}

class WatchedPool extends Pool {
  readonly convicted = new Map<string, LieEvidence>();

  override convict(workerId: string, evidence: LieEvidence): void {
    this.convicted.set(workerId, evidence);
    super.convict(workerId, evidence);
  }
}

/** Trains once. @throws what the run fails with. */
export async function runStrangers(options: StrangersOptions): Promise<Strangers> {
  const { members, owners = 0, rounds, shards = members, liars = {}, checks = 'auto' } = options;
  const { features, sharesRows } = options;
  const world = new SessionWorld();
  world.onLog = () => undefined;
  const log: string[] = [];
  const pool = new WatchedPool({
    clock: systemClock,
    log: ({ message }) => void log.push(message),
    peerServer: { path: '/p', key: 'k' },
    iceServers: () => [],
    isOwners: ({ name }) => name === 'owner',
  });
  const ranks = new Map<number, string>();
  const onAssigned = (rank: number, workerId: string): void => void ranks.set(rank, workerId);
  const places = Array.from({ length: members }, (_, i) =>
    join(pool, world, i < owners ? 'owner' : 'stranger', onAssigned),
  );
  const workerIds = places.map(({ workerId }) => workerId);
  const stop = dishonest(
    world,
    new Map(Object.entries(liars).map(([place, liar]) => [workerIds[Number(place)]!, liar])),
    ranks,
  );
  let made = 0;
  const madeWhenLost = new Map<string, number>();
  world.onMessage = (workerId, message) => {
    if (message.type === 'committed') made = Math.max(made, message.round + 1);
    places.find((place) => place.workerId === workerId)?.say(message);
  };
  const { spec, leases } = smallRun(world, shards, rounds, sharesRows, features);
  const lost = new Map<string, string>();
  const driver = new RunDriver({
    request: {
      runId: RUN,
      name: 'strangers',
      spec,
      shards: leases,
      workers: { min: 1, max: members },
      maxFailures: 0,
    },
    pool,
    clock: systemClock,
    log: ({ message }) => void log.push(message),
    timing: { settleMs: 0 },
    keep: () => Promise.resolve(),
    blobs: {
      putJson: async (value) => {
        const sha256 = world.putJson(value);
        return { sha256, sizeBytes: world.blobs.get(sha256)!.length };
      },
      sizeBytes: (sha256) => Promise.resolve(world.blobs.get(sha256)?.length),
    },
    checks,
    auditor: () =>
      new TreeAuditor({
        spec,
        replayer: new LocalReplayer(spec),
        readShard: (sha256) => Promise.resolve(world.blobs.get(sha256)!),
      }),
  });
  driver.onEvent((event) => {
    if (event.type !== 'workerLost') return;
    lost.set(event.workerId, event.reason);
    madeWhenLost.set(event.workerId, made);
  });
  try {
    const outcome = await driver.done;
    const checksPassed = new Map(pool.workers().map((worker) => [worker.workerId, worker.checksPassed]));
    const model = JSON.stringify(outcome.rounds);
    return { outcome, workerIds, convicted: pool.convicted, lost, madeWhenLost, checksPassed, log, model };
  } finally {
    stop();
    await world.close();
  }
}

interface Place {
  readonly workerId: string;
  say(message: WorkerMessage): void;
}

/** A worker at its control socket, and its session. */
function join(
  pool: Pool,
  world: SessionWorld,
  name: string,
  onAssigned: (rank: number, workerId: string) => void,
): Place {
  let workerId = '';
  let isOpen = true;
  const end = pool.attach({
    remoteAddress: 'memory',
    bufferedBytes: 0,
    send: (text) => {
      const message = JSON.parse(text) as CoordinatorMessage;
      if (message.type === 'assign') onAssigned(message.rank, workerId);
      if (message.type === 'welcome') workerId = message.workerId;
      else if (isOpen) queueMicrotask(() => world.say(workerId, message));
    },
    ping: () => undefined,
    close: () => (isOpen = false),
    terminate: () => (isOpen = false),
  });
  const say = (message: unknown): void => {
    if (isOpen) end.message(JSON.stringify(message));
  };
  const device = { kind: 'cpu', name: 'x' };
  say({ type: 'hello', protocol: PROTOCOL_VERSION, runtime: 'node', name, device, cores: 1 });
  world.addWorker(workerId);
  say({ type: 'available', peerId: workerId });
  return { workerId, say };
}
