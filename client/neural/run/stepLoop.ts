// The steps of one generation at one member. A step is committed when its update is applied, local steps with the outer step
// after them; what comes before can be given up at any time without a trace.

import { AbortedError } from '../../../kernels/errors.ts';
import type { Collective } from '../../../shared/collective/collective.ts';
import {
  examplesIn,
  microbatchesOf,
  nextCommit,
  nextSpeeds,
  passes,
  shareOfSpeed,
  stepsPerEpoch,
} from '../../../shared/neural/run/stepPlan.ts';
import { learningRateAt } from '../../../shared/neural/run/learningRate.ts';
import type { LocalSteps } from '../../../shared/neural/run/neuralSpec.ts';
import { eventTurn } from '../../../kernels/eventTurn.ts';
import { agreeOnStep, type StepWishes } from './agreeOnStep.ts';
import { openChecks } from './openChecks.ts';
import { openStepSum, type StepSum } from './openStepSum.ts';
import type { StepChecks } from './stepChecks.ts';
import { gatherSum } from '../../collective/gatherSum.ts';
import { keepEqual } from './equalParameters.ts';
import { evaluateNet } from './evaluateNet.ts';
import { explainNonFinite } from './explainNonFinite.ts';
import { makeLocalSteps } from './localSteps.ts';
import { finiteMetrics } from './finiteMetrics.ts';
import { RunMetrics } from './runMetrics.ts';
import { StateSaver } from './stateSaver.ts';
import { openTimeline, tellProfile } from './stepProfiles.ts';
import type { StepTimeline } from './stepTimeline.ts';
import type { StepLoopOptions } from './stepLoopOptions.ts';

/** The coordinator writes every report down. */
const REPORT_INTERVAL_MS = 250;

export class StepLoop {
  readonly #options: StepLoopOptions;
  readonly #collective: Collective;
  readonly #stepSum: StepSum;
  readonly #metrics: RunMetrics;
  readonly #saver: StateSaver;
  readonly #checks: StepChecks | undefined;
  /** What was agreed of the next step already, together with what was said of the last one. */
  #agreed: StepWishes | undefined;
  readonly #perEpoch: number;
  /** Relative speed by rank; all members have the same. */
  #speeds: readonly number[];
  #isMixed: boolean;
  #reportedAt: number;
  #stepsSince = 0;
  #examplesSince = 0;
  /** Of those the ones that were computed here. */
  #ownExamplesSince = 0;
  /** Milliseconds since the last report. */
  #computeMs = 0;
  /** The part of the exchange that computing did not hide, and all of it. */
  #exchangeMs = 0;
  #exchangeTotalMs = 0;
  #microbatchesDone = 0;
  #bytesReported = 0;

  constructor(options: StepLoopOptions) {
    const { context, spec } = options;
    this.#options = options;
    this.#collective = context.collective;
    this.#checks = openChecks(options);
    this.#stepSum = this.#checks ?? openStepSum(options);
    this.#metrics = new RunMetrics(spec.metrics);
    this.#perEpoch = stepsPerEpoch(spec);
    this.#speeds = context.members.map(() => 1);
    // An outer step leaves the same bits everywhere.
    this.#isMixed = options.isMixed && !spec.localSteps;
    this.#saver = new StateSaver(options);
    this.#reportedAt = context.environment.now();
  }

  /** Until the last step, or the halt that the coordinator asked for. */
  async run(): Promise<void> {
    const { spec, state, context } = this.#options;
    // All who made the last step may have been lost before it was told.
    if (state.step >= spec.steps) return this.#report({}, { isLast: true, endsEpoch: true });
    while (state.step < spec.steps) {
      const { isReported, isHalted, keepsState } = this.#agreed ?? (await this.#agree());
      this.#agreed = undefined;
      if (keepsState) {
        await this.#keepEqual(false, true);
        await this.#keep();
      }
      if (isHalted) break;
      const first = state.step;
      if (spec.localSteps) await this.#localSteps(spec.localSteps);
      else await this.#step(isReported);
      await this.#committed(first, isReported);
      await eventTurn();
      if (context.signal.aborted) throw new AbortedError(`step ${state.step} was withdrawn`);
    }
    await this.#saver.settled();
  }

  /** The state is told, and stored by the first rank, before the generation ends: nobody goes on with it. */
  async #keep(): Promise<void> {
    await this.#saver.settled();
    await this.#saver.save();
  }

  #agree(): Promise<StepWishes> {
    const { state, context } = this.#options;
    const own = this.#wishes(state.step, this.#stepsSince);
    return agreeOnStep(this.#collective, own, context.signal);
  }

  /** Whether a step is told, and whether the generation ends before it. @param stepsSince since the last that was told. */
  #wishes(step: number, stepsSince: number): StepWishes {
    const { spec, context } = this.#options;
    const every = spec.reportEverySteps;
    const isReported =
      every === undefined
        ? stepsSince === 0 || context.environment.now() - this.#reportedAt >= REPORT_INTERVAL_MS
        : passes(every, step, nextCommit(spec, step));
    const isHalted = context.haltAtRounds() < Infinity;
    return { isReported, isHalted, keepsState: isHalted && context.keepsState() };
  }

  /** Shares stay equal, so that runs can be repeated. */
  async #localSteps(local: LocalSteps): Promise<void> {
    const { state, context } = this.#options;
    const first = state.step;
    const spent = await makeLocalSteps(local, {
      ...this.#options,
      share: (count) => shareOfSpeed(count, this.#speeds, context.rank),
      sum: this.#stepSum.sum,
      metrics: this.#metrics,
    });
    this.#stepsSince += state.step - first;
    this.#examplesSince += spent.examples;
    this.#computeMs += spent.computeMs;
    this.#exchangeMs += spent.exchangeMs;
    this.#exchangeTotalMs += spent.exchangeMs;
  }

  /** @param isReported whether it is told. */
  async #step(isReported: boolean): Promise<void> {
    const { spec, state, train, context } = this.#options;
    const { engine } = state;
    const { step } = state;
    const { rank, signal, environment } = context;
    const start = environment.now();
    const timeline = await openTimeline(this.#options);
    const places = microbatchesOf(spec, step);
    const unapplied = { step, places, speeds: this.#speeds };
    this.#stepSum.begin(unapplied);
    const [from, to] = shareOfSpeed(places.length, this.#speeds, rank);
    // Alone, nothing is exchanged, and no bucket has to leave the device.
    const isShared = this.#collective.size > 1;
    // Statistics of a batch are summed up by all at once: who has one microbatch less takes part with an empty one.
    const turns = spec.syncBatchNorm ? Math.ceil(places.length / this.#collective.size) : to - from;
    const nothing = { epoch: places[0]!.epoch, from: 0, to: 0 };
    for (let turn = 0; turn < turns; turn++) {
      const place = from + turn < to ? places[from + turn]! : nothing;
      const batch = await train.read(place, step, signal);
      await engine.accumulate(batch, {
        isLast: isShared && turn === turns - 1,
        ...(spec.syncBatchNorm && { reduceStatistics: (values) => this.#sumStatistics(values) }),
      });
    }
    const exchanged = await this.#exchange(turns > 0, timeline);
    const totals = await engine.takeTotals();
    if (to > from && !Number.isFinite(totals.loss)) {
      await explainNonFinite({ ...this.#options, signal }, places.slice(from, to), step);
    }
    if (this.#checks) {
      const wishes = this.#wishes(step + 1, isReported ? 0 : this.#stepsSince + 1);
      this.#agreed = await this.#checks.afterExchange(unapplied, wishes);
    }
    const examples = examplesIn(places);
    const updateFrom = environment.now();
    engine.update({
      learningRate: learningRateAt(spec.learningRate, step, spec.steps),
      step,
      examples,
      microbatches: spec.syncBatchNorm ? turns * this.#collective.size : places.length,
    });
    state.step = step + 1;
    if (timeline) await tellProfile(this.#options, timeline, updateFrom);
    this.#metrics.add(totals);
    this.#stepsSince += 1;
    this.#examplesSince += examples;
    if (to > from) this.#ownExamplesSince += examplesIn(places.slice(from, to));
    this.#microbatchesDone += to - from;
    this.#exchangeMs += exchanged;
    this.#computeMs += environment.now() - start - exchanged;
  }

  /** @param first the step that what is committed now began with. */
  async #committed(first: number, isDue: boolean): Promise<void> {
    const { spec, state } = this.#options;
    const isLast = state.step === spec.steps;
    const endsEpoch = passes(this.#perEpoch, first, state.step);
    const isSaved = passes(spec.checkpointEverySteps, first, state.step);
    await this.#keepEqual(isDue, isSaved || isLast);
    if (isSaved && !isLast) this.#saver.saveAside();
    if (isDue || isLast || endsEpoch) {
      await this.#report({ learningRate: this.#rate(state.step - 1) }, { isLast, endsEpoch });
    }
  }

  #rate(step: number): number {
    const { spec } = this.#options;
    return learningRateAt(spec.learningRate, step, spec.steps);
  }

  /** Of one layer and direction, in place. */
  async #sumStatistics(values: Float32Array<ArrayBuffer>): Promise<void> {
    if (this.#collective.size === 1) return;
    const sum = await this.#collective.allReduce(values, 'sum', { signal: this.#options.context.signal });
    if (sum !== values) values.set(sum);
  }

  /**
   * Adds the reduction up over the members, bucket by bucket as the backward pass completes them.
   * @returns milliseconds after the last bucket was there: the part of the exchange that computing did not hide.
   */
  async #exchange(hasOwn: boolean, timeline?: StepTimeline): Promise<number> {
    if (this.#collective.size === 1) return 0;
    const { state, context } = this.#options;
    const { engine } = state;
    if (!hasOwn) engine.clear();
    const now = (): number => context.environment.now();
    const sums: Promise<void>[] = [];
    let begun: number | undefined;
    for (const [bucket, { length }] of engine.layout.buckets.entries()) {
      const values = hasOwn ? await engine.readBucket(bucket) : new Float32Array(length);
      begun ??= now();
      const summed = timeline?.bucketReady(bucket, 4 * length);
      const sum = this.#stepSum.sum.add(bucket, values).then((all) => {
        summed?.();
        engine.writeBucket(bucket, all);
      });
      sum.catch(() => undefined); // The first failure is thrown below, when all are under way.
      sums.push(sum);
    }
    const computed = now();
    await Promise.all(sums);
    const end = now();
    this.#exchangeTotalMs += end - (begun ?? end);
    return end - computed;
  }

  /** A state that is to be stored has to be the same everywhere in all its parts. */
  async #keepEqual(isDue: boolean, isStored: boolean): Promise<void> {
    const { spec, state, context } = this.#options;
    if (this.#collective.size === 1) return;
    const isCompared = spec.verifyEveryStep || isDue || isStored;
    const wasMixed = this.#isMixed;
    this.#isMixed = await keepEqual(state.engine, context, { isMixed: wasMixed, isCompared, isStored });
    if (wasMixed || !this.#isMixed) return;
    const line = `After step ${state.step} members have different parameters; those of rank 0 count.`;
    context.environment.log(line);
  }

  async #report(
    extra: Readonly<Record<string, number>>,
    { isLast, endsEpoch }: { readonly isLast: boolean; readonly endsEpoch: boolean },
  ): Promise<void> {
    const { runId, spec, state, context } = this.#options;
    const { environment, generation, rank, signal, collective } = context;
    const told = await this.#metrics.take('train', collective, signal);
    const evaluation =
      isLast || endsEpoch
        ? await evaluateNet(this.#options, { speeds: this.#speeds, withConfusion: isLast })
        : undefined;
    await this.#measureSpeed();
    const now = environment.now();
    const metrics = finiteMetrics({
      ...told,
      ...evaluation?.metrics,
      ...extra,
      epoch: state.step / this.#perEpoch,
    });
    const examplesPerSecond = this.#examplesSince / Math.max(1e-3, (now - this.#reportedAt) / 1000);
    const measured = {
      examplesPerSecond,
      ...(this.#exchangeTotalMs > 0 && { exchangeHidden: 1 - this.#exchangeMs / this.#exchangeTotalMs }),
    };
    if (isLast) await this.#keep();
    this.#checks?.tellPassed(state.step - 1);
    const bytes = [...context.links.values()].reduce((sum, link) => sum + link.stats.bytesSent, 0);
    environment.send({
      type: 'committed',
      runId,
      generation,
      round: state.step - 1,
      computeMs: Math.max(0, this.#computeMs),
      exchangeMs: this.#exchangeMs,
      bytesSent: bytes - this.#bytesReported,
      metrics,
      ...(evaluation?.confusion && { payload: [evaluation.confusion] }),
      ...(rank === 0 && { measured }),
    });
    const share = this.#ownExamplesSince / Math.max(1, this.#examplesSince);
    environment.onStatus?.({
      state: 'training',
      runId,
      round: state.step,
      rounds: spec.steps,
      rows: this.#ownExamplesSince,
      share,
      groupSize: collective.size,
      rank,
      rowsPerSecond: examplesPerSecond * share,
      metrics,
      links: [...context.links.values()].map((link) => ({ peer: link.peer, path: link.path, ...link.stats })),
    });
    this.#bytesReported = bytes;
    this.#reportedAt = environment.now();
    this.#examplesSince =
      this.#ownExamplesSince =
      this.#computeMs =
      this.#exchangeMs =
      this.#exchangeTotalMs =
        0;
    this.#stepsSince = 0;
  }

  /** Shares of the next steps follow what a microbatch took each member; synchronised statistics and local steps need equal ones. */
  async #measureSpeed(): Promise<void> {
    const { spec, context } = this.#options;
    const { size } = this.#collective;
    if (size === 1 || spec.syncBatchNorm || spec.localSteps) return;
    const own = new Float64Array(size);
    own[context.rank] = this.#microbatchesDone / Math.max(1, this.#computeMs);
    const speeds = await gatherSum(own, this.#collective, { signal: context.signal });
    this.#microbatchesDone = 0;
    this.#speeds = nextSpeeds(this.#speeds, speeds);
  }
}
