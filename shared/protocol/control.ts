// The control conversation between the coordinator and one worker: JSON text messages over one WebSocket.
// Each message is defined once, here; its type, its validator and its codec come from that definition.

import { z } from 'zod';
import { deviceKinds } from '../../kernels/deviceKinds.ts';
import { runtimes } from './runtimes.ts';
import { stepDispute } from './stepDispute.ts';
import { visibleLine, visibleText } from '../../kernels/visibleText.ts';

/** Raised when a message changes its meaning. A worker of another version is refused with a reason. */
export const PROTOCOL_VERSION = 7;
/** Longest accepted control message. Trees of one round are the largest content. */
export const MAX_CONTROL_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Codes of `refused` after which a worker does not try again as a new one, as it does where its identity is not known any more. */
export const finalRefusals: readonly string[] = ['WORKER_REMOVED', 'WORKER_BANNED'];

const id = z.string().min(1).max(128);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
/** Words for people, one line: what would act on a terminal, or hide in the line, is written out (see visibleText). */
const words = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .transform((text) => visibleLine(text).slice(0, maxLength));
/** The same with line feeds, e.g. of a stack trace. */
const lines = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .transform((text) => visibleText(text).slice(0, maxLength));

export const deviceReport = z.object({
  kind: z.enum(deviceKinds),
  name: words(200),
  /** Why the device is not the one that was asked for, e.g. "no WebGPU adapter". */
  reason: words(500).optional(),
});

/** Rows that a worker is responsible for, content-addressed. */
export const lease = z.object({
  /** Name of the dataset: "train" or an evaluation set's. */
  dataset: z.string().min(1).max(64),
  /** Index of the shard within its dataset. */
  index: count,
  firstRow: count,
  rows: count,
  sha256,
  sizeBytes: count,
});

const iceServers = z
  .array(
    z.object({
      urls: z.array(z.string().max(500)).max(16),
      username: z.string().max(500).optional(),
      credential: z.string().max(500).optional(),
    }),
  )
  .max(16);

const member = z.object({ rank: count, workerId: id, peerId: id });

const linkKey = z.string().min(32).max(128);

/** A worker to connect to before there is a generation with both. */
const acquaintance = z.object({ workerId: id, peerId: id, linkKey });

/** More than any run reports: every metric of every evaluation set. */
const MAX_METRICS = 4096;
const metrics = z
  .record(z.string().max(128), z.number())
  .refine((named) => Object.keys(named).length <= MAX_METRICS, `at most ${MAX_METRICS} metrics`);

/**
 * A round (for neural nets: all steps up to this one) is committed here. It is recorded once most members say the same
 * of it: the same hash of the payload and the same metrics.
 */
const committed = z.object({
  type: z.literal('committed'),
  runId: id,
  generation: count,
  round: count,
  computeMs: z.number().nonnegative(),
  exchangeMs: z.number().nonnegative(),
  bytesSent: count,
  payloadSha256: sha256.optional(),
  metrics: metrics.optional(),
  /**
   * What the kind of run records of a round. Of boosting its trees (shared/gbdt/treeBytes.ts), from rank 0 alone; of the last
   * step of a net a confusion matrix, from all, where labels are classes.
   */
  payload: z.array(z.unknown()).max(1024).optional(),
  /** Rank 0 alone: what it alone can measure. */
  measured: z
    .strictObject({ examplesPerSecond: z.number().optional(), exchangeHidden: z.number().optional() })
    .optional(),
});

/** Of what one member sent in gathers: half of a SHA-256: two messages of one digest can not be found. */
export const DIGEST_CHARACTERS = 32;

/** What a member got of each of the group in the gathers of this generation so far. */
const heardGathers = z.object({
  /** So many gathers are behind it. */
  gathers: count,
  /** By rank, DIGEST_CHARACTERS each; its own of what it sent. */
  digests: z
    .string()
    .max(4096 * DIGEST_CHARACTERS)
    .regex(/^[0-9a-f]*$/),
});
export type HeardGathers = z.infer<typeof heardGathers>;

/** Rounds that one message tells of, at most. */
export const MAX_SEVERAL = 64;

/** Rounds of trees that are checked at a time, at most. */
const MAX_CHECKED = 32;

/** What is left of a sum of histogram cells, each by a random weight, modulo a prime (shared/gbdt/check). */
const fingerprint = z.array(count.max(2 ** 31)).length(1);

/** What a member summed up in a round, in fingerprints. */
const checkedRound = z.object({
  round: count,
  /** Histograms that were summed at a time, in order: of which tree and limb, and of which of its nodes. */
  steps: z
    .array(
      z.object({
        output: count,
        limb: z.enum(['high', 'low']),
        nodes: z.array(count).max(65_536),
        /** Of all features. */
        sum: fingerprint,
      }),
    )
    .max(65_536),
  /** By rank: of what was sent to each member for its part; of the own part what was added to it here. */
  sent: z.array(fingerprint).max(4096),
  /** By rank: of what each member sent for this one's part. */
  received: z.array(fingerprint).max(4096),
  /** Ranks of those who told of best splits that can not be: the tree was grown no further then. */
  refused: z.array(count.max(4096)).max(4096),
  /** What each rank, in order, told of a root's sums (shared/gbdt/check/rootText.ts), of trees of which they told different ones. */
  roots: z
    .array(z.object({ output: count, told: z.array(z.string().max(128)).max(4096) }))
    .max(1024)
    .optional(),
});
export type CheckedRound = z.infer<typeof checkedRound>;

/** Messages from a worker to the coordinator. */
export const workerMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.number().int(),
    token: z.string().max(256).optional(),
    /** Sent when a socket was lost, or a page was loaded anew: the worker claims the identity it had. */
    identity: z.object({ workerId: id, secret: z.string().max(128) }).optional(),
    /**
     * Made anew by every process and page. An identity that comes with another one than before is that worker without anything it
     * held: it is lost, and joins again under its id.
     */
    life: z.string().min(1).max(64).optional(),
    runtime: z.enum(runtimes),
    name: words(64).optional(),
    device: deviceReport,
    cores: count.max(4096),
    /** Which programs it opens: those that every worker has, or those of owners too. Absent: none. */
    programs: z.enum(['builtin', 'any']).optional(),
  }),
  /** The worker can be reached under its PeerJS id, which is its worker id, and be put in groups. */
  z.object({ type: z.literal('available'), peerId: id }),
  /** The volunteer pauses or leaves: the worker takes no new work; what it holds is handed over at the next commit. */
  z.object({ type: z.literal('leaving'), reason: words(500) }),
  /** Shards are loaded, state is caught up, links to all members are up. */
  z.object({
    type: z.literal('ready'),
    runId: id,
    generation: count,
    links: z.array(z.object({ workerId: id, path: z.enum(['direct', 'relay', 'memory']) })).max(4096),
  }),
  /** What `prepare` named is loaded, or why it can't be; `generation` is that of `prepare`. */
  z.object({
    type: z.literal('prepared'),
    runId: id,
    generation: count,
    error: z.object({ code: words(64), message: words(1000) }).optional(),
  }),
  /** How far loading has come, for "waiting for…" lines. */
  z.object({
    type: z.literal('loading'),
    runId: id,
    generation: count,
    rowsLoaded: count,
    rowsTotal: count,
  }),
  committed,
  /** Rounds that took so little that they were committed between two events: a message each would cost as much as they did. */
  z.object({ type: z.literal('several'), messages: z.array(committed).min(1).max(MAX_SEVERAL) }),
  /** The generation can't go on here: a peer did not answer, a link closed, the device was lost. */
  z.object({
    type: z.literal('stalled'),
    runId: id,
    generation: count,
    missing: z.array(id).max(4096),
    code: words(64),
    message: lines(4000),
  }),
  /**
   * The state after so many rounds has this hash here, in the form in which it is stored. What is stored counts once most
   * members say the same.
   */
  z.object({
    type: z.literal('state'),
    runId: id,
    generation: count,
    rounds: count,
    sha256,
    sizeBytes: count,
  }),
  /** As `state`, and it is in the blob store: what it costs to lose all members is bounded by it. */
  z.object({
    type: z.literal('saved'),
    runId: id,
    generation: count,
    rounds: count,
    sha256,
    sizeBytes: count,
  }),
  /** Where the time of the last step went is in the blob store, for an owner who asked. */
  z.object({ type: z.literal('profiled'), runId: id, generation: count, sha256, sizeBytes: count }),
  /** The owner's own loop returned here: the run ends with the rounds committed so far, once most members say so. */
  z.object({ type: z.literal('finished'), runId: id, generation: count, rounds: count }),
  /** Answer to halt: how many rounds are committed here, and those that the coordinator said it lacks. */
  z.object({
    type: z.literal('halted'),
    runId: id,
    generation: count,
    committedRounds: count,
    /** Members that this one was waiting for when the halt came. */
    missing: z.array(id).max(4096).optional(),
    /** After the last gather, and after the one before it. */
    heard: z.array(heardGathers).max(2).optional(),
    rounds: z
      .array(
        z.object({
          round: count,
          payload: z.array(z.unknown()).max(1024),
          metrics,
        }),
      )
      .max(64),
  }),
  /** Of a net: so many steps of this generation were checked here and were right; and what was not, in the step `round`. */
  z.object({
    type: z.literal('checkedSteps'),
    runId: id,
    generation: count,
    round: count,
    passed: count,
    dispute: stepDispute.optional(),
  }),
  /** Answer to `check`: of the rounds that are still known here. */
  z.object({
    type: z.literal('checked'),
    runId: id,
    generation: count,
    firstRound: count,
    rounds: z.array(checkedRound).max(MAX_CHECKED),
  }),
  /** The worker can't do this run at all (bad shard, impossible spec): others try without it; the run fails when most say so. */
  z.object({
    type: z.literal('failed'),
    runId: id,
    generation: count,
    code: words(64),
    message: lines(4000),
  }),
]);

/** Messages from the coordinator to a worker. */
export const coordinatorMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    workerId: id,
    /** Proves the identity when the socket is opened again. */
    secret: z.string().max(128),
    /** Lets the worker have its PeerJS id, and nothing else: it is in the address of the signalling socket. */
    signallingToken: z.string().min(1).max(128),
    /** A path and no more: what follows a host may make another host of it ("@elsewhere"). */
    peerServer: z.object({
      path: z
        .string()
        .max(200)
        .regex(/^(?:\/[\w.~-]+)+$/),
      key: z.string().max(128),
    }),
    iceServers,
    /** The coordinator pings at this interval; a worker that hears nothing for three intervals opens a new socket. */
    pingIntervalMs: z.number().positive(),
  }),
  z.object({ type: z.literal('refused'), code: words(64), message: words(1000) }),
  z.object({
    type: z.literal('ping'),
    at: z.number(),
    /** What the last one took there and back, in milliseconds: a page can not measure it. */
    roundTripMs: z.number().nonnegative().optional(),
  }),
  /** TURN credentials expire: from now on connections are made with these. */
  z.object({ type: z.literal('iceServers'), iceServers }),
  /**
   * Take this place in the group: load the leases, bring the state to exactly `committedRounds` (forward, or back where
   * rounds committed here were lost with the others), connect, then answer ready. A newer generation supersedes
   * whatever the worker was doing.
   */
  z.object({
    type: z.literal('assign'),
    runId: id,
    generation: count,
    rank: count,
    members: z.array(member).min(1).max(4096),
    /** A key for the link to each other member, by worker id. Only the coordinator and that member know it, too. */
    linkKeys: z.record(id, linkKey),
    leases: z.array(lease).max(1_000_000),
    /** What each rank leases, where members load the rows of all. */
    groupLeases: z.array(z.array(lease).max(4096)).max(4096).optional(),
    /**
     * Ranks of those who may hold a state beyond `committedRounds` and `savedState`, where members hold it: they were in the last
     * group that worked.
     */
    stateHolders: z.array(count).max(4096),
    /** Shards of other members that this one would take over: kept ready beside the work, where that takes no time from the work. */
    spares: z.array(lease).max(1_000_000).optional(),
    /** The run's TrainSpec as a JSON blob. */
    spec: sha256,
    committedRounds: count,
    /**
     * Rounds that this worker committed since its last assignment are the record's only below this: a worker that was
     * lost in the middle of a generation may have committed a round that the others had to do again.
     */
    agreedRounds: count.optional(),
    /** Payloads of the committed rounds as a JSON blob: an array of rounds, each an array (of trees); null when none. */
    payloads: sha256.nullable(),
    /** Strangers take part. Of trees what is summed up is kept until `check` has asked for it; of nets steps are done again. */
    isChecked: z.boolean().optional(),
    /** State to begin with where no member has a later one. */
    savedState: z.object({ rounds: count, sha256, sizeBytes: count }).optional(),
  }),
  /**
   * The group works and has a place for this worker: load these leases, as far as they can be loaded outside a group, bring
   * them to the committed rounds, connect to the group's members, and answer prepared. Only then is the group interrupted,
   * and a place assigned. Said again when the group has changed meanwhile.
   */
  z.object({
    type: z.literal('prepare'),
    runId: id,
    generation: count,
    spec: sha256,
    leases: z.array(lease).max(1_000_000),
    /** These three as in `assign`. */
    committedRounds: count,
    agreedRounds: count.optional(),
    payloads: sha256.nullable(),
    members: z.array(acquaintance).max(4096),
  }),
  /** Newcomers that load for a place in this group: connect to them beside the work. */
  z.object({
    type: z.literal('meet'),
    runId: id,
    generation: count,
    newcomers: z.array(acquaintance).min(1).max(4096),
  }),
  /** Everybody is ready: work. */
  z.object({ type: z.literal('begin'), runId: id, generation: count }),
  /**
   * All members have committed these rounds: tell the fingerprints, by this seed, of what was summed up in them. Rounds before
   * `firstRound` need not be kept any longer.
   */
  z.object({
    type: z.literal('check'),
    runId: id,
    generation: count,
    firstRound: count,
    endRound: count,
    seed: z.string().regex(/^[0-9a-f]{32,64}$/),
  }),
  /**
   * Stop this generation, then answer halted (again, when asked again): at once, or ("commit") when `atRounds` rounds
   * are committed here. A worker that has committed as many or more drops the round in flight and stops at once:
   * its peers may have stopped already, so that round might never end.
   */
  z.object({
    type: z.literal('halt'),
    runId: id,
    generation: count,
    when: z.enum(['now', 'commit']),
    atRounds: count.optional(),
    /** The state is wanted in the blob store: no group follows. */
    keepsState: z.boolean().optional(),
    /** The answer carries the rounds from this one on, oldest first, as many as fit. */
    knownRounds: count,
    reason: words(500),
  }),
  /** The run is over for this worker: free its data. */
  z.object({
    type: z.literal('release'),
    runId: id,
    reason: words(500),
    /** How the run ended; absent where it goes on without this worker. */
    outcome: z.enum(['finished', 'stopped', 'failed']).optional(),
  }),
  /** Dial the socket of programs for this instance; all else is said there (shared/protocol/program.ts). */
  z.object({ type: z.literal('openProgram'), instanceId: id }),
  /** Go away; `reconnect` false means for good. */
  z.object({ type: z.literal('shutdown'), reconnect: z.boolean(), reason: words(500) }),
]);

export type WorkerMessage = z.infer<typeof workerMessage>;
export type CoordinatorMessage = z.infer<typeof coordinatorMessage>;
export type WorkerMessageOf<T extends WorkerMessage['type']> = Extract<WorkerMessage, { type: T }>;
export type CoordinatorMessageOf<T extends CoordinatorMessage['type']> = Extract<
  CoordinatorMessage,
  { type: T }
>;
export type DeviceReport = z.infer<typeof deviceReport>;
export type Lease = z.infer<typeof lease>;
export type Member = z.infer<typeof member>;
