// A little world for session tests: workers in one process over memory links, blobs in a map, and a coordinator that
// does what a test says. Nothing is simulated but the network and the coordinator: trees are grown for real.

import { createHash } from 'node:crypto';
import { createCpuTreeDevice } from '../../../kernels/gbdt/devices/cpuDevice.ts';
import type { TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { LoopThread } from '../../../client/ownerLoop/loopThread.ts';
import { createWorkerSession } from '../../../client/session/runSession.ts';
import type { SessionStatus, WorkerSession } from '../../../client/memberRun/sessionEnvironment.ts';
import type { Link, LinkConnector } from '../../../client/transport/link.ts';
import { memoryLinkPair } from '../../../client/transport/memoryLink.ts';
import type {
  CoordinatorMessage,
  Lease,
  WorkerMessage,
  WorkerMessageOf,
} from '../../../shared/protocol/control.ts';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { encodeShard } from '../../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { whenAborted } from '../../../shared/whenAborted.ts';
import { inlineOwnerThread } from '../../setup/inlineOwnerThread.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { BlobFetchError } from '../../../client/blobs/blobFetcher.ts';

export const RUN = 'run-1';

interface Inbox {
  readonly messages: WorkerMessage[];
  readonly all: WorkerMessage[];
  wake: () => void;
}

export class SessionWorld {
  readonly blobs = new Map<string, Uint8Array>();
  /** By SHA-256: what has to happen before a blob arrives. */
  readonly held = new Map<string, Promise<void>>();
  /** SHA-256 of what workers fetched, in order. */
  readonly fetched: string[] = [];
  /** Of each attempt to connect before there is a group: for which, from whom, to whom. */
  readonly met: [group: string, from: string, to: string][] = [];
  readonly sessions = new Map<string, WorkerSession>();
  readonly devices = new Map<string, TreeDevice>();
  /** What a worker last told of its session. */
  readonly statuses = new Map<string, SessionStatus>();
  readonly lostDevices: string[] = [];
  /** What a worker draws, where that must be the same each time. */
  randomOf: ((workerId: string) => () => number) | undefined;
  /** Nothing is worth a line unless the test expects it. */
  onLog: (line: string) => void = (line) => {
    throw new Error(line);
  };
  /** Of workers that were added before this was known. */
  readonly wrapDevice = new Map<string, (device: TreeDevice) => TreeDevice>();
  /** Told of what workers say. */
  onMessage: (workerId: string, message: WorkerMessage) => void = () => undefined;
  /** What really goes over the link when one sends a message to another. */
  tamper: (from: string, to: string, message: Uint8Array) => Uint8Array = (_from, _to, message) => message;
  readonly #links = new Map<string, Link>();
  readonly #inboxes = new Map<string, Inbox>();
  readonly #createEngine: (spec: NeuralSpec, workerId: string) => Promise<TrainingEngine>;

  constructor(
    createEngine: (spec: NeuralSpec, workerId: string) => Promise<TrainingEngine> = () =>
      Promise.reject(new Error('there is no neural net in this test')),
  ) {
    this.#createEngine = createEngine;
  }

  put(bytes: Uint8Array): string {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.blobs.set(sha256, bytes);
    return sha256;
  }

  putJson(value: unknown): string {
    return this.put(new TextEncoder().encode(JSON.stringify(value)));
  }

  addWorker(workerId: string, wrap: (device: TreeDevice) => TreeDevice = (device) => device): void {
    const inbox: Inbox = { messages: [], all: [], wake: () => undefined };
    this.#inboxes.set(workerId, inbox);
    const random = this.randomOf?.(workerId);
    const session = createWorkerSession({
      workerId,
      connector: this.#connector(workerId),
      send: (message) => {
        if (!this.sessions.has(workerId)) return;
        const copy = JSON.parse(JSON.stringify(message)) as WorkerMessage;
        inbox.messages.push(copy);
        inbox.all.push(copy);
        inbox.wake();
        this.onMessage(workerId, copy);
      },
      createDevice: async (spec) => {
        const device = (this.wrapDevice.get(workerId) ?? wrap)(createCpuTreeDevice(spec));
        this.devices.set(workerId, device);
        return device;
      },
      createEngine: (spec) => this.#createEngine(spec, workerId),
      openLoop: (name, code) =>
        new LoopThread(inlineOwnerThread, name === 'rounds' ? { name } : { name, device: 'cpu' }, code),
      putBlob: async (bytes) => ({ sha256: this.put(bytes), sizeBytes: bytes.length }),
      fetchBlob: async (sha256, { signal }) => {
        this.fetched.push(sha256);
        await Promise.race([this.held.get(sha256), whenAborted(signal)]);
        const bytes = this.blobs.get(sha256);
        if (!bytes) throw new BlobFetchError(`there is no blob ${sha256}`);
        return bytes;
      },
      now: () => performance.now(),
      ...(random && { random }),
      log: (line) => this.onLog(line),
      onStatus: (status) => void this.statuses.set(workerId, status),
      onDeviceLost: (reason) => void this.lostDevices.push(reason),
    });
    this.sessions.set(workerId, session);
  }

  say(workerId: string, message: CoordinatorMessage): void {
    this.sessions.get(workerId)?.handle(message);
  }

  sayAll(workerIds: readonly string[], message: CoordinatorMessage): void {
    for (const workerId of workerIds) this.say(workerId, message);
  }

  /** The next message of a type from a worker; the ones before it are dropped. */
  hear<T extends WorkerMessage['type']>(
    workerId: string,
    type: T,
    fits: (message: WorkerMessageOf<T>) => boolean = () => true,
  ): Promise<WorkerMessageOf<T>> {
    return this.hearAny(workerId, [type], fits);
  }

  /** The next message of any of the types. */
  async hearAny<T extends WorkerMessage['type']>(
    workerId: string,
    types: readonly T[],
    fits: (message: WorkerMessageOf<T>) => boolean = () => true,
  ): Promise<WorkerMessageOf<T>> {
    const inbox = this.#inboxes.get(workerId)!;
    for (;;) {
      for (let message = inbox.messages.shift(); message; message = inbox.messages.shift()) {
        if (types.some((type) => type === message?.type) && fits(message as WorkerMessageOf<T>))
          return message as WorkerMessageOf<T>;
        if (message.type === 'failed')
          throw new Error(`${workerId} failed: ${message.code} ${message.message}`);
      }
      await new Promise<void>((resolve) => (inbox.wake = resolve));
    }
  }

  /** All that a worker said since the start. */
  heard(workerId: string): readonly WorkerMessage[] {
    return this.#inboxes.get(workerId)?.all ?? [];
  }

  /** The worker's process is gone: it says nothing more and its links break. */
  kill(workerId: string): void {
    const session = this.sessions.get(workerId);
    this.sessions.delete(workerId);
    for (const [key, link] of this.#links) if (key.split('|').includes(workerId)) link.close('killed');
    void session?.close('killed');
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions.values()].map((session) => session.close('the test is over')));
  }

  #connector(self: string): LinkConnector {
    return {
      expect: () => () => undefined,
      connect: async (peers, { group }) =>
        new Map(peers.map(({ workerId }) => [workerId, this.#link(group, self, workerId)])),
      meet: async (peers, { group }) => {
        for (const { workerId } of peers) this.met.push([group, self, workerId]);
      },
      close: async () => undefined,
    };
  }

  #tampered(link: Link, from: string, to: string): Link {
    const send = link.send.bind(link);
    link.send = (message) => send(this.tamper(from, to, message));
    return link;
  }

  #link(group: string, self: string, peer: string): Link {
    const own = [group, self, peer].join('|');
    if (!this.#links.has(own)) {
      const [near, far] = memoryLinkPair(self, peer);
      this.#links.set(own, this.#tampered(near, self, peer));
      this.#links.set([group, peer, self].join('|'), this.#tampered(far, peer, self));
    }
    return this.#links.get(own)!;
  }
}

export interface SmallRun {
  readonly spec: TrainSpec;
  readonly specHash: string;
  readonly leases: readonly Lease[];
}

/** A run on random rows with a learnable label: `shards` training shards of 500 rows, one evaluation shard. */
export function smallRun(
  world: SessionWorld,
  shards: number,
  rounds: number,
  sharesRows = false,
  features = 5,
): SmallRun {
  const random = seededRandom(7);
  const spec = buildTrainSpec({
    params: resolveParams({ objective: 'binary:logistic', max_depth: 4, eval_metric: ['logloss', 'auc'] }),
    numBoostRound: rounds,
    features: Array.from({ length: features }, (_, feature) => ({
      name: `f${feature}`,
      cuts: { categorical: false, cuts: Float32Array.from({ length: 32 }, (_, bin) => bin + 0.5) } as never,
    })),
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows: shards * 500,
    ...(sharesRows && { allRows: (shards + 1) * 500 }),
    evaluationSets: ['train', 'valid'],
  });
  const shard = (dataset: string, index: number): Lease => {
    const rows = 500;
    const bins = Array.from({ length: features }, () =>
      Uint8Array.from({ length: rows }, () => random() * 32),
    );
    const labels = Float32Array.from({ length: rows }, (_, row) =>
      bins[0]![row]! + bins[1]![row]! * random() > 24 + 12 * random() ? 1 : 0,
    );
    const block = { firstRow: index * rows, rows, bins, labels };
    const bytes = encodeShard(block);
    return {
      dataset,
      index,
      firstRow: block.firstRow,
      rows,
      sha256: world.put(bytes),
      sizeBytes: bytes.length,
    };
  };
  const leases = Array.from({ length: shards }, (_, index) => shard('train', index));
  leases.push(shard('valid', 0));
  return { spec, specHash: world.putJson(spec), leases };
}

/** Links in memory ask for none, but an assignment has one for every member. */
export function linkKeysOf(members: readonly string[]): Record<string, string> {
  return Object.fromEntries(members.map((id) => [id, `key of the link to ${id}`.padEnd(32, '.')]));
}

/** Puts `members` in a group, shards dealt in turn; resolves when all are ready. */
export async function formGroup(
  world: SessionWorld,
  run: Pick<SmallRun, 'leases' | 'specHash'>,
  generation: number,
  members: readonly string[],
  rounds: readonly (readonly unknown[])[] = [],
): Promise<void> {
  const leasesOf = (rank: number): Lease[] =>
    run.leases.filter((lease) => lease.index % members.length === rank);
  members.forEach((workerId, rank) =>
    world.say(workerId, {
      type: 'assign',
      runId: RUN,
      generation,
      rank,
      members: members.map((id, at) => ({ rank: at, workerId: id, peerId: id })),
      linkKeys: linkKeysOf(members),
      leases: leasesOf(rank),
      groupLeases: members.map((_, at) => leasesOf(at)),
      spec: run.specHash,
      stateHolders: [],
      committedRounds: rounds.length,
      payloads: rounds.length === 0 ? null : world.putJson(rounds),
    }),
  );
  for (const workerId of members)
    await world.hear(workerId, 'ready', (ready) => ready.generation === generation);
}
