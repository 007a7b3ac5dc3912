// The training engine of compiled nets: writes a batch's arrays, lets the executor run the program, and reads no more
// than it is asked for. What computes (WebGPU or the processor) is the executor's matter.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import { integerPower } from '../../../kernels/fixed/integerPower.ts';
import type { KernelCall } from '../../../kernels/neural/kernelCall.ts';
import type { ProgramExecutor, Readback } from '../../../kernels/neural/programExecutor.ts';
import { FLAG_WORDS } from '../compile/finiteChecks.ts';
import type { CompiledNet } from '../compile/compileNet.ts';
import type { StatisticsStop, TrainingStep } from '../compile/programBuilder.ts';
import { EngineMisuseError } from '../netErrors.ts';
import type {
  AccumulateOptions,
  EngineLayout,
  EngineSpec,
  MemoryReport,
  Microbatch,
  ProfileEntry,
  StateSection,
  TargetValues,
  Totals,
  TrainingEngine,
  UpdateOptions,
} from '../trainingEngine.ts';
import { checkInputs, checkMicrobatch, checkTargets } from './checkBatch.ts';
import { memoryReport } from './memoryReport.ts';
import { synchronizeStatistics } from './synchronizeStatistics.ts';

/** Calls up to a stop. */
interface Segment {
  readonly calls: readonly KernelCall[];
  readonly statistics: readonly StatisticsStop[];
  readonly buckets: readonly number[];
}

/** Cuts the training steps where something has to happen between dispatches. */
function segmentsOf(steps: readonly TrainingStep[], atBuckets: boolean): Segment[] {
  const segments: {
    calls: KernelCall[];
    statistics: StatisticsStop[];
    buckets: number[];
  }[] = [];
  let open: KernelCall[] = [];
  for (const step of steps) {
    if (!('stop' in step)) {
      open.push(step);
      continue;
    }
    if (step.stop === 'bucket' && !atBuckets) continue;
    const last = segments.at(-1);
    const segment =
      open.length === 0 && last !== undefined ? last : { calls: open, statistics: [], buckets: [] };
    if (segment !== last) segments.push(segment);
    if (step.stop === 'bucket') segment.buckets.push(step.index);
    else segment.statistics.push(step);
    open = [];
  }
  if (open.length > 0) segments.push({ calls: open, statistics: [], buckets: [] });
  return segments;
}

export class CompiledEngine implements TrainingEngine {
  readonly kind: DeviceKind;
  readonly layout: EngineLayout;
  readonly memory: MemoryReport;
  readonly lost: Promise<string>;
  private readonly spec: EngineSpec;
  private readonly net: CompiledNet;
  private readonly executor: ProgramExecutor;
  private readonly whole: readonly Segment[];
  private readonly byBucket: readonly Segment[];
  private readonly totalsReadback: Readback;
  /** Of each bucket, where buckets are fetched while the backward pass goes on. */
  private readonly readbacks: readonly Readback[];
  /** Buckets of this step that are on their way already. */
  private readonly early = new Map<number, Promise<Float32Array<ArrayBuffer>>>();
  private examples = 0;
  private closed = false;

  constructor(spec: EngineSpec, net: CompiledNet, executor: ProgramExecutor, readsBuckets: boolean) {
    this.spec = spec;
    this.net = net;
    this.executor = executor;
    this.kind = executor.kind;
    this.layout = net.layout;
    this.lost = executor.lost;
    this.whole = segmentsOf(net.training, false);
    // Whoever doesn't read buckets must not pay for copies of all gradients in every step.
    this.byBucket = readsBuckets ? segmentsOf(net.training, true) : this.whole;
    this.readbacks = readsBuckets
      ? net.layout.buckets.map(({ offset, length }) => executor.createReadback('reduction', offset, length))
      : [];
    this.totalsReadback = executor.createReadback('totals', 0, 2 + spec.metrics.length);
    this.memory = memoryReport(
      net.program,
      readsBuckets && executor.kind === 'webgpu' ? net.layout.reductionLength : 0,
    );
  }

  write(section: StateSection, values: Float32Array): void {
    this.checkOpen();
    if (values.length !== this.layout.lengths[section]) {
      throw new RangeError(
        `The ${section} are ${this.layout.lengths[section]} values, not ${values.length}.`,
      );
    }
    this.executor.write(section, new Float32Array(values));
  }

  async read(section: StateSection): Promise<Float32Array<ArrayBuffer>> {
    this.checkOpen();
    return this.executor.read(section, 0, this.layout.lengths[section]);
  }

  clear(): void {
    this.checkOpen();
    this.early.clear();
    this.examples = 0;
    this.executor.clear(['reduction', 'totals']);
  }

  async accumulate(batch: Microbatch, options: AccumulateOptions): Promise<void> {
    this.checkOpen();
    checkMicrobatch(this.spec, this.net, batch);
    const { reduceStatistics } = options;
    if (this.spec.syncBatchNorm && reduceStatistics === undefined) {
      throw new EngineMisuseError('Synchronised batch norm needs `reduceStatistics` with every microbatch.');
    }
    this.writeBatch(batch, true);
    this.early.clear();
    this.examples += batch.examples;
    for (const { calls, statistics, buckets } of options.isLast ? this.byBucket : this.whole) {
      this.executor.run(calls, batch.examples);
      for (const index of buckets) this.readEarly(index);
      for (const stop of statistics) await this.synchronize(stop, batch.examples, reduceStatistics!);
    }
    await this.executor.ready();
  }

  async readBucket(index: number): Promise<Float32Array<ArrayBuffer>> {
    this.checkOpen();
    const { offset, length } = this.bucket(index);
    return this.early.get(index) ?? this.executor.read('reduction', offset, length);
  }

  writeBucket(index: number, values: Float32Array): void {
    this.checkOpen();
    const { offset, length } = this.bucket(index);
    if (values.length !== length) {
      throw new RangeError(`Bucket ${index} is ${length} values, not ${values.length}.`);
    }
    this.early.delete(index);
    this.executor.write('reduction', new Float32Array(values), offset);
  }

  update({ learningRate, step, examples, microbatches }: UpdateOptions): void {
    this.checkOpen();
    if (!(examples > 0) || !(microbatches > 0)) {
      throw new EngineMisuseError(
        `An update needs examples and microbatches, not ${examples} and ${microbatches}.`,
      );
    }
    const { optimizer } = this.spec;
    const correct = (beta: number) => 1 - integerPower(beta, step + 1);
    this.executor.setUniform('update', {
      learningRate,
      gradientScale: 1 / examples,
      statisticsScale: 1 / microbatches,
      correction1: optimizer.name === 'sgd' ? 1 : correct(optimizer.beta1),
      correction2: optimizer.name === 'sgd' ? 1 : correct(optimizer.beta2),
    });
    this.early.clear();
    this.executor.run(this.net.update, 1);
  }

  async takeTotals(): Promise<Totals> {
    this.checkOpen();
    const { examples } = this;
    this.examples = 0;
    if (this.net.penalty.length > 0) this.executor.run(this.net.penalty, 1);
    const values = this.totalsReadback.take();
    this.executor.clear(['totals']);
    return this.totals(examples, await values);
  }

  async evaluate(batch: Omit<Microbatch, 'exampleIds' | 'step'>): Promise<Totals> {
    this.checkOpen();
    checkInputs(this.spec, batch.inputs, batch.examples);
    checkTargets(this.net, batch.targets, batch.examples);
    this.writeBatch({ ...batch, step: 0 }, false);
    this.executor.run(this.net.evaluation, batch.examples);
    const { rowsPerExample } = this.net.loss.form;
    const columns = 1 + this.spec.metrics.length;
    const rows = await this.executor.read('rowTotals', 0, batch.examples * rowsPerExample * columns);
    const sums = new Float64Array(columns);
    rows.forEach((value, i) => {
      sums[i % columns]! += value / rowsPerExample;
    });
    return this.totals(batch.examples, [...sums, await this.penalty()]);
  }

  async predict(inputs: readonly TargetValues[], examples: number): Promise<Float32Array<ArrayBuffer>> {
    this.checkOpen();
    checkInputs(this.spec, inputs, examples);
    this.writeBatch({ examples, inputs, step: 0 }, false);
    this.executor.run(this.net.prediction, examples);
    const { view, length } = this.net.output;
    return this.executor.read(view, 0, examples * length);
  }

  async findNonFinite(
    batch: Microbatch,
  ): Promise<{ readonly layer: string; readonly phase: 'backward' | 'forward' } | undefined> {
    this.checkOpen();
    checkMicrobatch(this.spec, this.net, batch);
    const { finiteChecks, training } = this.net;
    await this.executor.prepare(finiteChecks.map(({ call }) => call));
    const after = new Map<KernelCall | undefined, KernelCall[]>();
    for (const check of finiteChecks) after.set(check.after, [...(after.get(check.after) ?? []), check.call]);
    const calls = training.flatMap((step) => ('stop' in step ? [] : [step, ...(after.get(step) ?? [])]));
    // The pass adds to what has been accumulated: that is put back.
    const reduction = this.executor.read('reduction', 0, this.layout.reductionLength);
    const totals = this.executor.read('totals', 0, 1 + this.spec.metrics.length);
    this.writeBatch(batch, true);
    this.executor.clear(['flags']);
    this.executor.run([...(after.get(undefined) ?? []), ...calls], batch.examples);
    const flags = new Uint32Array(
      (await this.executor.read('flags', 0, FLAG_WORDS * finiteChecks.length)).buffer,
    );
    this.executor.write('reduction', await reduction);
    this.executor.write('totals', await totals);
    const found = finiteChecks.find((_, k) => flags[k * FLAG_WORDS] === 1);
    return found === undefined ? undefined : { layer: found.layer, phase: found.phase };
  }

  async profile(): Promise<readonly ProfileEntry[]> {
    this.checkOpen();
    const timings = await this.executor.takeTimings();
    return timings.map(({ call, examples, startNs, endNs }) => {
      const { flop, bytes } = call.cost(examples);
      return { name: call.op.name, layer: call.layer, phase: call.phase, startNs, endNs, flop, bytes };
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.early.clear();
    await this.executor.close();
  }

  private writeBatch(
    batch: Pick<Microbatch, 'examples' | 'inputs' | 'step'> & Partial<Microbatch>,
    training: boolean,
  ): void {
    const { executor, spec } = this;
    batch.inputs.forEach((values, k) => executor.write(`input:${k}`, values));
    if (batch.targets !== undefined) executor.write('targets', batch.targets);
    if (batch.exampleIds !== undefined) executor.write('exampleIds', batch.exampleIds);
    executor.setUniform('batch', {
      examples: batch.examples,
      step: batch.step,
      seed: spec.seed,
      training: training ? 1 : 0,
    });
  }

  private readEarly(index: number): void {
    const values = this.readbacks[index]!.take();
    // Whoever reads the bucket hears of a failure; if nobody does, the next call will.
    values.catch(() => {});
    this.early.set(index, values);
  }

  private async synchronize(
    stop: StatisticsStop,
    examples: number,
    reduce: (values: Float32Array<ArrayBuffer>) => Promise<void>,
  ): Promise<void> {
    const count = (stop.direction === 'forward' ? 2 : 3) * stop.channels;
    const [values, origin] = await Promise.all([
      this.executor.read(stop.values, 0, count),
      this.executor.read(stop.origin, 0, stop.channels),
    ]);
    this.executor.write(stop.values, await synchronizeStatistics(stop, values, origin, examples, reduce));
  }

  private async penalty(): Promise<number> {
    if (this.net.penalty.length === 0) return 0;
    this.executor.run(this.net.penalty, 1);
    const [penalty = 0] = await this.executor.read('totals', 1 + this.spec.metrics.length, 1);
    return penalty;
  }

  /** @param values loss, metrics, penalty. */
  private totals(examples: number, values: ArrayLike<number>): Totals {
    const metrics = this.spec.metrics.map((metric, k) => [metric, values[k + 1] ?? 0] as const);
    return {
      examples,
      loss: values[0] ?? 0,
      metrics: Object.fromEntries(metrics),
      penalty: values[1 + metrics.length] ?? 0,
    };
  }

  private bucket(index: number): EngineLayout['buckets'][number] {
    const bucket = this.layout.buckets[index];
    if (bucket === undefined) {
      throw new RangeError(`There are ${this.layout.buckets.length} buckets, and no bucket ${index}.`);
    }
    return bucket;
  }

  private checkOpen(): void {
    if (this.closed) throw new EngineMisuseError('The training engine is closed.');
  }
}
