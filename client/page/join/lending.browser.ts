// The life of the volunteer's page: from the offer to lending, holding for a limit, leaving; what the views show of it.

import type { LaunchReport } from '../../../shared/protocol/launchReport.ts';
import { LAUNCH_REPORT_FUNCTION, type DeviceWish } from '../../../shared/protocol/runtimes.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Identity } from '../../control/controlClient.ts';
import type { ComputeStatus } from '../../runtime/computeApi.ts';
import type { HeldRows } from '../../runtime/heldRows.ts';
import type { WorkerEnd } from '../../runtime/workerStatus.ts';
import type { ConnectionTime } from '../../transport/connectionTimes.ts';
import type { ComputeThread } from './computeThread.browser.ts';
import { addContributions, ContributionCounter, noContribution, type Contribution } from './contribution.ts';
import { keepGiven, keptContribution, keptToday } from './given.browser.ts';
import { LearningCurve } from '../design/curve.ts';
import { LastRun, type RunResult } from './lastRun.ts';
import { holdsOf, readLimits, type Hold, type Limits } from './limits.ts';
import { LinkSpeeds } from './linkSpeeds.ts';
import { ScreenLock } from './screenLock.browser.ts';
import { Surroundings } from './surroundings.browser.ts';
import { takeTabLock } from './tabLock.browser.ts';
import { forgetTabMemory, keepTabMemory, takeTabMemory, type TabMemory } from './tabMemory.browser.ts';

const LIMITS_KEY = 'tabgrad.limits';
const SAVE_EVERY_MS = 5_000;
const MEASURE_LINKS_EVERY_MS = 3_000;

export type PagePhase =
  | 'offered'
  | 'elsewhere'
  | 'loading'
  /** It lent before it was loaded anew, and what it needs can't be loaded. */
  | 'offline'
  | 'lending'
  | 'ended'
  | 'failed';

/** All that the views show. */
export interface LendingView {
  readonly phase: PagePhase;
  readonly status: ComputeStatus | undefined;
  readonly end: WorkerEnd | undefined;
  readonly problem: string | undefined;
  readonly isPaused: boolean;
  readonly holds: readonly Hold[];
  readonly limits: Limits;
  readonly now: Contribution;
  readonly ever: Contribution;
  readonly todayBytes: number;
  readonly memoryBytes: number | undefined;
  readonly isOnMains: boolean | undefined;
  readonly curve: LearningCurve;
  readonly speeds: LinkSpeeds;
  /** Of direct links, by worker. */
  readonly linkTimes: ReadonlyMap<string, ConnectionTime>;
  /** The last run that ended, until the next one begins. */
  readonly result: RunResult | undefined;
}

export interface LendingSettings {
  /** Address of the coordinator, without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  readonly name: string | undefined;
  readonly device: DeviceWish;
  /** Of the processor, where the link says how many. */
  readonly threads: number | undefined;
  /** Whether a launcher opened the tab: it lends beside others of its browser. */
  readonly isLaunched: boolean;
}

export class Lending {
  readonly #settings: LendingSettings;
  readonly #onChange: () => void;
  readonly #surroundings: Surroundings;
  readonly #screen = new ScreenLock();
  readonly #curve = new LearningCurve();
  readonly #speeds = new LinkSpeeds();
  readonly #lastRun = new LastRun();
  readonly #reportToLauncher = (globalThis as Record<string, unknown>)[LAUNCH_REPORT_FUNCTION] as
    | ((report: LaunchReport) => unknown)
    | undefined;
  #phase: PagePhase = 'offered';
  #isStarting = false;
  #waiting = new AbortController();
  #compute: ComputeThread | undefined;
  #linkTimes: ReadonlyMap<string, ConnectionTime> = new Map();
  #linksAtMs = -Infinity;
  #status: ComputeStatus | undefined;
  #end: WorkerEnd | undefined;
  #problem: string | undefined;
  #limits = readLimits(localStorage.getItem(LIMITS_KEY));
  #holds: readonly Hold[] = [];
  #isPaused = false;
  /** Whether the worker was told to pause, by the volunteer or for a limit. */
  #isHalted = false;
  #lentShare = 1;
  #counter = new ContributionCounter();
  #earlier = keptContribution();
  #earlierToday = keptToday();
  #savedAtMs = 0;
  #knownWorkerId: string | undefined;
  /** As whom this tab goes on when it is loaded anew. */
  #identity: Identity | undefined;

  /** @param onChange told whenever the view is another one. */
  constructor(settings: LendingSettings, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#surroundings = new Surroundings(() => this.#judge());
    addEventListener('pagehide', () => {
      this.#save();
      if (this.#isLending) keepTabMemory({ isPaused: this.#isPaused, identity: this.#identity });
    });
    // Back from the back-forward cache.
    addEventListener('pageshow', () => this.#isLending && keepTabMemory({ isPaused: this.#isPaused }));
    // Back from sleep, from another network or from the back-forward cache: don't wait for the next attempt.
    for (const event of ['online', 'pageshow', 'focus']) {
      addEventListener(event, () => void this.#compute?.api.retryNow());
    }
    const kept = takeTabMemory();
    if (settings.isLaunched || kept) void this.start(kept);
  }

  /** What of an owner's rows is here. Rejects where they can't be had any more. */
  async heldRows(): Promise<HeldRows | undefined> {
    return this.#compute?.api.heldRows();
  }

  get view(): LendingView {
    const now = this.#now;
    const { isOnMains } = this.#surroundings.sensed;
    return {
      phase: this.#phase,
      status: this.#status,
      end: this.#end,
      problem: this.#problem,
      isPaused: this.#isPaused,
      holds: this.#holds,
      limits: this.#limits,
      now,
      ever: addContributions(this.#earlier, now),
      todayBytes: this.#todayBytes,
      memoryBytes: this.#surroundings.memoryBytes,
      isOnMains,
      curve: this.#curve,
      speeds: this.#speeds,
      linkTimes: this.#linkTimes,
      result: this.#lastRun.result,
    };
  }

  /** Lends until the worker's life is over. @param kept what this tab was before it was loaded anew. */
  async start(kept?: TabMemory): Promise<void> {
    if (this.#isStarting || this.#phase === 'lending') return;
    this.#isStarting = true;
    this.#identity = kept?.identity;
    const letGo = this.#settings.isLaunched ? () => undefined : await this.#takeLock();
    this.#isStarting = false;
    if (!letGo) return this.#giveUp();
    this.#earlier = keptContribution();
    this.#earlierToday = keptToday();
    this.#problem = this.#end = this.#status = undefined;
    this.#isPaused = kept?.isPaused ?? false;
    this.#isHalted = false;
    this.#counter = new ContributionCounter();
    this.#turnTo('loading');
    keepTabMemory({ isPaused: this.#isPaused });
    try {
      const loaded = await import('./computeThread.browser.ts').catch((error: unknown) => ({ error }));
      if ('error' in loaded) {
        // The browser would say the same again until the page is loaded anew.
        if (kept) return this.#turnTo('offline');
        throw loaded.error;
      }
      const { url, token, name, device, threads } = this.#settings;
      const share = (this.#lentShare = this.#limits.share);
      const start = { url, token, name, device, threads, share, identity: this.#identity };
      this.#compute = loaded.startComputeThread(start, {
        onStatus: (status) => this.#hear(status),
        onIdentity: (identity) => (this.#identity = identity),
      });
      this.#phase = 'lending';
      this.#judge();
      this.#endWith(await this.#compute.ended);
    } catch (error) {
      const reason = messageOf(error);
      this.#problem = reason;
      this.#turnTo('failed');
      this.#reportToLauncher?.({ event: 'ended', kind: 'refused', reason });
    } finally {
      this.#compute = undefined;
      this.#knownWorkerId = undefined;
      this.#screen.want(false);
      if (!this.#isLending) this.#forget();
      this.#save();
      letGo();
      this.#onChange();
    }
  }

  /** Ends the wait for another tab. */
  stopWaiting(): void {
    this.#waiting.abort();
  }

  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  leave(): void {
    void this.#compute?.api.leave('the volunteer left');
  }

  /** Limits hold from now on, and at the next visit. */
  async setLimits(change: Partial<Limits>): Promise<void> {
    if ('memoryBytes' in change) this.#surroundings.forgetMemory();
    this.#limits = { ...this.#limits, ...change };
    this.#judge();
    if (change.schedule === 'idle' && !(await this.#surroundings.watchIdle())) {
      this.#limits = { ...this.#limits, schedule: 'always' };
      this.#judge();
    }
    localStorage.setItem(LIMITS_KEY, JSON.stringify(this.#limits));
  }

  get #now(): Contribution {
    return this.#counter.total;
  }

  get #todayBytes(): number {
    const { sentBytes, receivedBytes } = this.#now;
    return this.#earlierToday + sentBytes + receivedBytes;
  }

  /** Whether the tab goes on by itself when it is loaded anew. */
  get #isLending(): boolean {
    return ['elsewhere', 'loading', 'offline', 'lending'].includes(this.#phase);
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    keepTabMemory({ isPaused });
    this.#judge();
  }

  #giveUp(): void {
    this.#forget();
    this.#turnTo('offered');
  }

  #forget(): void {
    this.#identity = undefined;
    forgetTabMemory();
  }

  #hear(status: ComputeStatus): void {
    const nowMs = performance.now();
    this.#status = status;
    this.#counter.count(status, nowMs);
    const { session, workerId, device } = status;
    this.#lastRun.hear(session, this.#now);
    if (session.state === 'training') {
      this.#curve.add(session.runId, session.round, session.metrics);
      this.#speeds.measure(session.links, nowMs);
      void this.#measureLinks(nowMs);
    }
    if (workerId !== undefined && workerId !== this.#knownWorkerId && device) {
      this.#knownWorkerId = workerId;
      this.#reportToLauncher?.({ event: 'joined', workerId, device });
    }
    if (nowMs - this.#savedAtMs >= SAVE_EVERY_MS) this.#save();
    this.#judge();
  }

  /** Asks the browser, now and then, and only where somebody looks. */
  async #measureLinks(nowMs: number): Promise<void> {
    if (nowMs - this.#linksAtMs < MEASURE_LINKS_EVERY_MS || document.visibilityState !== 'visible') return;
    this.#linksAtMs = nowMs;
    this.#linkTimes = (await this.#compute?.linkTimes()) ?? new Map();
    this.#onChange();
  }

  #takeLock(): Promise<(() => void) | undefined> {
    this.#waiting = new AbortController();
    return takeTabLock(() => this.#turnTo('elsewhere'), this.#waiting.signal);
  }

  /** Halts or goes on, by the volunteer's word and by the limits. */
  #judge(): void {
    this.#holds = holdsOf(this.#limits, { ...this.#surroundings.sensed, transferredBytes: this.#todayBytes });
    const api = this.#compute?.api;
    if (api) {
      const isHalted = this.#isPaused || this.#holds.length > 0;
      if (isHalted !== this.#isHalted) void (isHalted ? api.pause() : api.resume());
      this.#isHalted = isHalted;
      if (this.#limits.share !== this.#lentShare) void api.lendShare((this.#lentShare = this.#limits.share));
      this.#screen.want(this.#limits.keepAwake && !isHalted);
    }
    this.#onChange();
  }

  #endWith(end: WorkerEnd): void {
    this.#end = end;
    if (end.kind === 'refused') this.#problem = end.reason;
    this.#turnTo('ended');
    this.#reportToLauncher?.({ event: 'ended', kind: end.kind, reason: end.reason });
  }

  #turnTo(phase: PagePhase): void {
    this.#phase = phase;
    this.#onChange();
  }

  #save(): void {
    // Another tab may lend, and count.
    if (this.#now === noContribution) return;
    this.#savedAtMs = performance.now();
    keepGiven(addContributions(this.#earlier, this.#now), this.#todayBytes);
  }
}
