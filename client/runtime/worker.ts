// One worker's life, the same in a tab, in Deno and in Node: find a device, join, hand the coordinator's messages to
// the session, pause and leave when the volunteer says so, come back after a lost socket.

import type { CoordinatorMessage, CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { jitteredMs, type Backoff } from '../../shared/backoff.ts';
import { delay } from '../../shared/clock.ts';
import { whenAborted } from '../../shared/whenAborted.ts';
import { createBlobUploader } from '../blobs/blobUploader.ts';
import { ControlClient } from '../control/controlClient.ts';
import { WorkerPrograms } from '../program/workerPrograms.ts';
import { createWorkerSession } from '../session/runSession.ts';
import type { SessionStatus, WorkerSession } from '../memberRun/sessionEnvironment.ts';
import { socketUrl } from '../transport/socketUrl.ts';
import type { AcquiredDevice } from './acquireDevice.ts';
import { greetingOf } from './greetingOf.ts';
import { HeldPlace } from './heldPlace.ts';
import type { HeldRows } from './heldRows.ts';
import { lentDevices } from './lentDevices.ts';
import { LentTime } from './lentTime.ts';
import { loopThreads } from './loopThreads.ts';
import type { Membership } from './membership.ts';
import type { WorkerOptions, WorkerPlatform, WorkerTransport } from './workerPlatform.ts';
import type { WorkerEnd, WorkerPhase, WorkerStatus } from './workerStatus.ts';

/** How long a leaving worker waits for its rows to be handed over. */
const LEAVE_TIMEOUT_MS = 10_000;
/** How long closing links and freeing the device may take. */
const CLOSE_TIMEOUT_MS = 3_000;
const transportRetries: Backoff = { firstMs: 500, maxMs: 10_000 };

type Welcome = CoordinatorMessageOf<'welcome'>;

export class Worker {
  /** Resolves when the worker's life is over and everything is freed. Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  readonly #options: WorkerOptions;
  readonly #platform: WorkerPlatform;
  readonly #onStatus: (status: WorkerStatus) => void;
  #end!: (end: WorkerEnd) => void;
  #ending = false;
  #control: ControlClient | undefined;
  #device: AcquiredDevice | undefined;
  #membership: Membership | undefined;
  #activeRun: string | undefined;
  readonly #held = new HeldPlace();
  #released: () => void = () => {};
  #paused = false;
  #share = 1;
  readonly #lentTime: LentTime;
  #phase: WorkerPhase = 'starting';
  #session: SessionStatus = { state: 'idle' };
  #note: string | undefined;
  #deviceLoss: string | undefined;

  constructor(options: WorkerOptions, platform: WorkerPlatform, onStatus: (status: WorkerStatus) => void) {
    this.#options = options;
    this.#platform = platform;
    this.#onStatus = onStatus;
    this.#lentTime = new LentTime(() => this.#share, platform.clock);
    this.ended = new Promise((resolve) => (this.#end = resolve));
    void this.#start();
  }

  get status(): WorkerStatus {
    return {
      phase: this.#phase,
      workerId: this.#membership?.workerId,
      device: this.#device?.report,
      deviceNote: this.#device?.fallback ?? this.#deviceLoss,
      session: this.#session,
      usedShare: this.#lentTime.usedShare,
      roundTripMs: this.#control?.roundTripMs,
      programs: this.#membership?.programs?.count ?? 0,
      note: this.#note,
    };
  }

  /** Share of the device's time that is lent, in (0, 1]. Takes effect with the next piece of work. */
  lendShare(share: number): void {
    this.#share = Math.min(1, Math.max(0.05, share));
    this.#membership?.programs?.lendShare(this.#share);
  }

  /** Takes no new work; what is held is handed over at the next commit. The socket stays. */
  pause(): void {
    if (this.#paused || this.#ending) return;
    this.#paused = true;
    this.#control?.send({ type: 'leaving', reason: 'paused by the volunteer' });
    this.#report();
  }

  resume(): void {
    if (!this.#paused || this.#ending) return;
    this.#paused = false;
    this.#announce();
    this.#report();
  }

  /** The machine is online or awake again. */
  retryNow(): void {
    this.#control?.retryNow();
  }

  /** The rows of an owner that are here for a run, for the volunteer to look at. @throws BlobFetchError, AbortedError */
  heldRows(): Promise<HeldRows | undefined> {
    return this.#held.look(this.#membership, this.#platform.fetchBlob);
  }

  /** Hands the rows over if that goes quickly, and ends. */
  async leave(reason: string): Promise<WorkerEnd> {
    if (!this.#ending) {
      this.#ending = true;
      this.#report('leaving');
      this.#control?.send({ type: 'leaving', reason });
      if (this.#control?.joined === true) {
        const released =
          this.#activeRun === undefined
            ? undefined
            : new Promise<void>((resolve) => (this.#released = resolve));
        const handedOver = Promise.all([released, this.#membership?.programs?.idle()]);
        await Promise.race([handedOver, delay(this.#platform.clock, LEAVE_TIMEOUT_MS)]);
      }
      await this.#finish({ kind: 'left', reason });
    }
    return this.ended;
  }

  async #start(): Promise<void> {
    const { platform, options } = { platform: this.#platform, options: this.#options };
    this.#report();
    try {
      this.#device = await platform.acquireDevice(options.device);
    } catch (error) {
      return this.#finish({ kind: 'refused', reason: String(error) });
    }
    if (this.#ending) return;
    this.#phase = 'connecting';
    this.#control = new ControlClient(
      {
        url: socketUrl(options.url, '/control'),
        greeting: greetingOf(options, platform, this.#device.report),
        identity: options.identity,
        openSocket: (url) => platform.openSocket(url),
        clock: platform.clock,
        random: platform.random,
      },
      {
        onWelcome: (welcome) => this.#welcome(welcome),
        onMessage: (message) => this.#receive(message),
        onLost: (reason, retryInMs) => {
          const first = this.#phase === 'connecting';
          this.#note = `${reason}; next attempt in ${(retryInMs / 1000).toFixed(1)} s`;
          this.#report(first ? 'connecting' : 'reconnecting');
        },
        onRefused: ({ message: reason, refusal: code }) =>
          void this.#finish({ kind: 'refused', reason, code }),
        log: (line) => platform.log(line),
      },
    );
    this.#report();
  }

  #welcome(welcome: Welcome): void {
    this.#note = undefined;
    const { workerId, secret } = welcome;
    if (this.#membership?.workerId !== workerId) {
      this.#options.onIdentity?.({ workerId, secret });
      const former = this.#membership;
      const membership: Membership = {
        workerId,
        over: new AbortController(),
        welcome,
        session: undefined,
        transport: undefined,
        programs: this.#openPrograms(welcome),
      };
      this.#membership = membership;
      this.#activeRun = undefined;
      void this.#settle(former, membership);
    } else {
      this.#useIceServers(welcome.iceServers);
      this.#announce();
    }
    this.#report('waiting');
  }

  /** Replaces the membership of a former identity, and works until this one is over. */
  async #settle(former: Membership | undefined, membership: Membership): Promise<void> {
    if (former) await this.#dissolve(former, 'joined under another identity');
    const { signal } = membership.over;
    const over = whenAborted(signal).catch(() => 'over');
    while (!signal.aborted) {
      const transport = await this.#openTransport(membership);
      if (!transport) return;
      membership.transport = transport;
      membership.session = this.#openSession(membership.welcome, transport);
      this.#announce();
      const reason = await Promise.race([transport.closed, over]);
      if (signal.aborted) return;
      this.#platform.log(`Signalling was lost (${reason}); opening it again.`);
      await this.#closeNetwork(membership, reason);
    }
  }

  /** Tries until signalling answers. @returns undefined when the membership ended meanwhile. */
  async #openTransport(membership: Membership): Promise<WorkerTransport | undefined> {
    const { signal } = membership.over;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const transport = await this.#platform.openTransport(membership.welcome, signal);
        if (!signal.aborted) return transport;
        await transport.close();
      } catch (error) {
        if (signal.aborted) break;
        this.#note = `Signalling can't be reached yet: ${messageOf(error)}`;
        this.#report();
        if (attempt === 0) this.#platform.log(this.#note);
        const { clock, random } = this.#platform;
        await delay(clock, jitteredMs(attempt, transportRetries, random), signal);
      }
    }
    return undefined;
  }

  #openPrograms({ workerId, secret }: Welcome): WorkerPrograms | undefined {
    const { url, allowCode } = this.#options;
    const platform = this.#platform;
    if (!platform.programs) return undefined;
    return new WorkerPrograms({
      ...platform.programs,
      origin: url,
      workerId,
      secret,
      fetchBlob: (sha256, options) =>
        platform.fetchBlob(sha256, { ...options, credentials: { workerId, secret } }),
      runsOwnersCode: allowCode,
      share: () => this.#share,
      log: (line) => platform.log(line),
      onChange: () => this.#report(),
    });
  }

  #openSession({ workerId, secret }: Welcome, transport: WorkerTransport): WorkerSession {
    const platform = this.#platform;
    const credentials = { workerId, secret };
    if (!this.#device) throw new Error('A worker joins after it has found a device.');
    return createWorkerSession({
      workerId,
      send: (message) => this.#control?.send(message),
      ...lentDevices(this.#device, transport.connector, this.#lentTime),
      fetchBlob: (sha256, options) => platform.fetchBlob(sha256, { ...options, credentials }),
      putBlob: createBlobUploader({ ...platform, origin: this.#options.url, credentials }),
      ...(this.#options.allowCode && loopThreads(platform, this.#device.report.kind)),
      now: () => platform.clock.now(),
      log: (line) => platform.log(line),
      onDeviceLost: (reason) => (this.#deviceLoss = `Work goes on with a new device: ${reason}`),
      onStatus: (status) => {
        this.#session = status;
        this.#report();
      },
    });
  }

  #announce(): void {
    const transport = this.#membership?.transport;
    if (!transport || this.#paused || this.#ending) return;
    this.#note = undefined;
    this.#control?.send({ type: 'available', peerId: transport.peerId });
  }

  #useIceServers(iceServers: CoordinatorMessageOf<'iceServers'>['iceServers']): void {
    const membership = this.#membership;
    if (!membership) return;
    membership.welcome = { ...membership.welcome, iceServers };
    membership.transport?.useIceServers(iceServers);
  }

  #receive(message: CoordinatorMessage): void {
    if (message.type === 'shutdown') {
      if (!message.reconnect) void this.#finish({ kind: 'sentAway', reason: message.reason });
      return;
    }
    if (message.type === 'openProgram') this.#membership?.programs?.open(message.instanceId);
    if (message.type === 'iceServers') return this.#useIceServers(message.iceServers);
    this.#held.hear(message);
    if (message.type === 'assign') this.#activeRun = message.runId;
    this.#membership?.session?.handle(message);
    if (message.type === 'release' && message.runId === this.#activeRun) {
      this.#activeRun = undefined;
      this.#released();
    }
    this.#report();
  }

  async #finish(end: WorkerEnd): Promise<void> {
    this.#ending = true;
    const membership = this.#membership;
    if (membership) {
      const closing = this.#dissolve(membership, end.reason);
      await Promise.race([closing, delay(this.#platform.clock, CLOSE_TIMEOUT_MS)]);
    }
    await this.#control?.close(end.reason);
    this.#note = end.reason;
    this.#session = { state: 'idle' };
    this.#report('ended');
    this.#end(end);
  }

  async #dissolve(membership: Membership, reason: string): Promise<void> {
    membership.over.abort();
    membership.programs?.close(reason);
    await this.#closeNetwork(membership, reason);
  }

  async #closeNetwork(membership: Membership, reason: string): Promise<void> {
    const { session, transport } = membership;
    membership.session = membership.transport = undefined;
    try {
      await session?.close(reason);
      await transport?.close();
    } catch (error) {
      this.#platform.log(`Closing: ${messageOf(error)}`);
    }
  }

  #report(phase: WorkerPhase = this.#phase): void {
    if (this.#phase === 'ended') return;
    const joined = phase === 'waiting' || phase === 'working' || phase === 'paused';
    const isWorking = this.#session.state !== 'idle' || this.status.programs > 0;
    this.#phase = this.#ending && phase !== 'ended' ? 'leaving' : phase;
    if (joined && !this.#ending) this.#phase = this.#paused ? 'paused' : isWorking ? 'working' : 'waiting';
    this.#onStatus(this.status);
  }
}
