// The replicas of one deployment: as many as are wanted, all of the newest revision. Starting, replacing the dead,
// rolling to a new revision and scaling are all the same step, #reconcile, which compares what is with what should be.

import { DeadlineError } from '../../../kernels/errors.ts';
import { backoffMs, type Backoff } from '../../../shared/backoff.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { Replica } from '../replica/replica.ts';
import { Router, type Slot } from '../routing/router.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import { autoscale, type ScaleState } from './autoscale.ts';
import { AllChecks } from '../replica/checkCounts.ts';
import type { DeploymentSettings } from '../../core/store/deploymentSettings.ts';
import { LoadMeter } from './loadMeter.ts';
import type { ReplicaSetSpec } from './replicaSetSpec.ts';
import type { MemberState, ReplicaSetStatus, ReplicaStatus } from './replicaSetStatus.ts';

interface Member {
  readonly replica: Replica;
  readonly revision: number;
  readonly settings: DeploymentSettings;
  state: MemberState;
  slot: Slot | undefined;
  stopTimers: () => void;
}

interface Update {
  resolve(): void;
  reject(error: unknown): void;
}

const replacements: Backoff = { firstMs: 250, maxMs: 30_000 };
const SCALE_PERIOD_MS = 1_000;

export class ReplicaSet {
  readonly name: string;
  readonly router: Router;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #members = new Set<Member>();
  readonly #load: LoadMeter;
  readonly #checks = new AllChecks();
  #spec: ReplicaSetSpec;
  #scale: ScaleState;
  #revision = 0;
  #serial = 0;
  #failures = 0;
  #restarts = 0;
  #message = '';
  #isClosing = false;
  #update: Update | undefined;
  #cancelBackoff: (() => void) | undefined;
  #cancelScaling: () => void = () => undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(name: string, spec: ReplicaSetSpec, clock: Clock, log: Log) {
    this.name = name;
    this.#spec = spec;
    this.#clock = clock;
    this.#log = log;
    this.#load = new LoadMeter(clock);
    this.#checks.add(spec.checks);
    this.#scale = { replicas: firstTarget(spec.settings), wanting: undefined };
    this.router = new Router(name, spec.settings, clock, {
      onLoad: (load) => this.#load.set(load),
      onStuck: ({ replica }) => this.#lose(replica, 'it answers none of the requests in its hands'),
      onIdle: ({ replica }) => this.#idle(replica),
    });
  }

  /** Resolves when all replicas run. @throws what the first that can't start failed with; none is left then. */
  async start(): Promise<void> {
    await this.#reach();
    this.#scheduleScaling();
  }

  /**
   * Replaces all replicas, without a moment with fewer than before: a new one runs before an old one is let go.
   * @throws what a new replica failed with; the old revision goes on then.
   */
  async update(spec: ReplicaSetSpec): Promise<void> {
    if (this.#update) throw new UnavailableError(`Deployment "${this.name}" is being updated already.`);
    const before = this.#spec;
    const { version } = spec.settings;
    this.#spec = spec;
    this.#checks.add(spec.checks);
    this.router.limits = spec.settings;
    this.#retarget(spec.settings);
    const isSame = version !== undefined && version === before.settings.version;
    if (!isSame) this.#revision += 1;
    this.#failures = 0;
    try {
      await this.#reach();
    } catch (error) {
      this.#spec = before;
      this.router.limits = before.settings;
      this.#retarget(before.settings);
      if (!isSame) this.#revision -= 1;
      if (!this.#isClosing) this.#reconcile();
      throw error;
    }
    this.#scheduleScaling();
  }

  /** Lets requests in hand end, at most for gracefulShutdownTimeoutS. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#cancelBackoff?.();
    this.#cancelScaling();
    this.router.close(`Deployment "${this.name}" is stopping.`);
    this.#update?.reject(new UnavailableError(`Deployment "${this.name}" is stopping.`));
    const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve));
    for (const member of this.#members) this.#retire(member);
    if (this.#members.size === 0) return;
    await empty;
  }

  status(): ReplicaSetStatus {
    const replicas = { starting: 0, running: 0, stopping: 0 };
    for (const { state } of this.#members) replicas[state] += 1;
    const isShort = replicas.running < this.#scale.replicas && this.#failures > 0;
    return {
      name: this.name,
      version: this.#spec.settings.version,
      status: this.#isClosing ? 'stopping' : this.#update ? 'updating' : isShort ? 'unhealthy' : 'running',
      target: this.#scale.replicas,
      replicas,
      members: [...this.#members].map((member) => this.#memberStatus(member)),
      ongoing: this.router.ongoing,
      queued: this.router.queued,
      restarts: this.#restarts,
      counts: { ...this.router.counts },
      checks: this.#checks.sum(),
      message: this.#message,
    };
  }

  #memberStatus({ replica, revision, settings, state, slot }: Member): ReplicaStatus {
    return {
      id: replica.id,
      version: settings.version,
      isCurrent: revision === this.#revision,
      state,
      workerId: replica.workerId,
      ongoing: slot?.ongoing ?? 0,
      answered: slot?.answered ?? 0,
    };
  }

  #retarget({ autoscalingConfig, numReplicas }: DeploymentSettings): void {
    const replicas = autoscalingConfig
      ? Math.min(autoscalingConfig.maxReplicas, Math.max(autoscalingConfig.minReplicas, this.#scale.replicas))
      : numReplicas;
    this.#scale = { replicas, wanting: undefined };
  }

  #reach(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settled = (): void => void (this.#update = undefined);
      this.#update = {
        resolve: () => (settled(), resolve()),
        reject: (error) => (settled(), reject(error)),
      };
      this.#reconcile();
    });
  }

  #reconcile(): void {
    if (this.#isClosing) return;
    const target = this.#scale.replicas;
    const alive = [...this.#members].filter(({ state }) => state !== 'stopping');
    const current = alive.filter(({ revision }) => revision === this.#revision);
    const old = alive.filter(({ revision }) => revision !== this.#revision);
    const running = current.filter(({ state }) => state === 'running').length;
    // While old ones serve, new ones come a few at a time: each costs memory besides.
    const atATime = old.length === 0 ? target : Math.max(1, Math.ceil(target / 4));
    const starting = current.length - running;
    const room = this.#cancelBackoff ? 0 : Math.min(target - current.length, atATime - starting);
    for (let i = 0; i < room; i++) this.#startOne();
    const surplusOld = Math.max(0, Math.min(old.length, old.length + running - target));
    for (const member of old.slice(0, surplusOld)) this.#retire(member);
    const idleFirst = current.sort((a, b) => (a.slot?.ongoing ?? -1) - (b.slot?.ongoing ?? -1));
    for (const member of idleFirst.slice(0, Math.max(0, current.length - target))) this.#retire(member);
    if (running >= target && old.length === surplusOld) this.#update?.resolve();
  }

  #startOne(): void {
    const { settings } = this.#spec;
    const id = `${this.name}#${++this.#serial}`;
    const replica = this.#spec.makeReplica(id);
    const member: Member = {
      replica,
      revision: this.#revision,
      settings,
      state: 'starting',
      slot: undefined,
      stopTimers: () => undefined,
    };
    this.#members.add(member);
    let failure: unknown;
    member.stopTimers = this.#clock.after(settings.startTimeoutS * 1_000, () => {
      const why = replica.waitsFor === undefined ? '' : ` ${replica.waitsFor}`;
      const late = new DeadlineError(
        `Replica ${id} was not ready within ${settings.startTimeoutS} s.${why}`,
        { peer: id },
      );
      failure = late;
      void replica.kill(late.message);
    });
    replica.ready.then(
      () => this.#becameReady(member),
      (error: unknown) => {
        failure ??= error;
        void replica.kill('it could not start');
      },
    );
    void replica.ended.then((how) => this.#ended(member, failure, how));
  }

  #becameReady(member: Member): void {
    member.stopTimers();
    if (member.state !== 'starting') return;
    member.state = 'running';
    member.slot = this.router.add(member.replica);
    this.#log({ level: 'info', message: `serve: replica ${member.replica.id} is ready` });
    void member.replica.leaving?.then((reason) => this.#leaves(member, reason));
    this.#watch(member);
    this.#reconcile();
  }

  /** Its worker is wanted back. */
  #leaves(member: Member, reason: string): void {
    if (member.state !== 'running' || this.#isClosing) return;
    this.#log({ level: 'info', message: `serve: replica ${member.replica.id} leaves: ${reason}` });
    this.#retire(member);
    this.#reconcile();
  }

  /** Asks for its health again and again, one question at a time. */
  #watch(member: Member): void {
    const { healthCheckPeriodS, healthCheckTimeoutS } = member.settings;
    member.stopTimers = this.#clock.after(healthCheckPeriodS * 1_000, () => {
      member.stopTimers = this.#clock.after(healthCheckTimeoutS * 1_000, () =>
        this.#lose(member.replica, `its health check did not answer within ${healthCheckTimeoutS} s`),
      );
      member.replica.call('health', [], (error) => {
        member.stopTimers();
        if (member.state !== 'running') return;
        if (error !== undefined) {
          this.#lose(member.replica, `its health check failed: ${(error as Error).message}`);
          return;
        }
        this.#failures = 0;
        this.#watch(member);
      });
    });
  }

  #lose(replica: Replica, reason: string): void {
    void replica.kill(reason);
  }

  #ended(member: Member, failure: unknown, how: string): void {
    member.stopTimers();
    this.#members.delete(member);
    if (member.slot) this.router.remove(member.slot);
    if (this.#members.size === 0) this.#whenEmpty?.();
    if (this.#isClosing || member.state === 'stopping') return;
    const reason = failure instanceof Error ? failure.message : how;
    this.#message = `Replica ${member.replica.id} ended: ${reason}`;
    this.#log({ level: 'error', message: `serve: ${this.#message}` });
    const isUpdate = this.#update && member.revision === this.#revision && member.state === 'starting';
    if (isUpdate && this.#update) {
      for (const other of this.#members) if (other.revision === this.#revision) this.#retire(other);
      this.#update.reject(failure ?? new UnavailableError(this.#message));
      return;
    }
    this.#restarts += 1;
    this.#backOff();
  }

  /** The first replacement comes at once, the next ones after longer and longer. */
  #backOff(): void {
    this.#failures += 1;
    if (this.#cancelBackoff) return;
    if (this.#failures === 1) {
      this.#reconcile();
      return;
    }
    const delayMs = backoffMs(this.#failures - 2, replacements);
    this.#cancelBackoff = this.#clock.after(delayMs, () => {
      this.#cancelBackoff = undefined;
      this.#reconcile();
    });
  }

  #retire(member: Member): void {
    if (member.state === 'stopping') return;
    const { slot, replica, settings } = member;
    member.stopTimers();
    member.state = 'stopping';
    if (!slot || slot.ongoing === 0) {
      if (slot) slot.isAccepting = false;
      void replica.kill('no longer needed');
      return;
    }
    slot.isAccepting = false;
    member.stopTimers = this.#clock.after(settings.gracefulShutdownTimeoutS * 1_000, () => {
      void replica.kill(
        `it did not answer its last requests within ${settings.gracefulShutdownTimeoutS} s of being told to stop`,
      );
    });
  }

  #idle(replica: Replica): void {
    for (const member of this.#members) {
      if (member.replica === replica && member.state === 'stopping') void replica.kill('no longer needed');
    }
  }

  #scheduleScaling(): void {
    this.#cancelScaling();
    const config = this.#spec.settings.autoscalingConfig;
    if (!config || this.#isClosing) return;
    this.#cancelScaling = this.#clock.after(SCALE_PERIOD_MS, () => {
      const before = this.#scale.replicas;
      this.#scale = autoscale(this.#scale, this.#load.take(), this.#clock.now(), config);
      if (this.#scale.replicas !== before) this.#reconcile();
      this.#scheduleScaling();
    });
  }
}

function firstTarget({ autoscalingConfig, numReplicas }: DeploymentSettings): number {
  return autoscalingConfig?.minReplicas ?? numReplicas;
}
