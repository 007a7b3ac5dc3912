// Collects the dispatches and values of a program while layers are compiled one after another.

import type { KernelCall, KernelPlan } from '../../../kernels/neural/kernelCall.ts';
import type { ElementType, MemoryKind } from '../../../kernels/neural/program.ts';
import type { Lifetime } from './planMemory.ts';

/** Where the backward or forward pass waits for other members, with synchronised batch norm. */
export interface StatisticsStop {
  readonly stop: 'statistics';
  readonly direction: 'backward' | 'forward';
  readonly channels: number;
  readonly rowsPerExample: number;
  /** Forward: [mean, variance][channel], to be replaced by those of all. Backward: [Σ g, Σ g·x̂, rows][channel]. */
  readonly values: string;
  /** The moving mean: what differences are taken from, the same on all members. */
  readonly origin: string;
}

/** Where the gradients of a bucket are complete. */
interface BucketStop {
  readonly stop: 'bucket';
  readonly index: number;
}

export type TrainingStep = BucketStop | KernelCall | StatisticsStop;

/** Which sequences a call belongs to: training, evaluation, prediction. */
export type Use = 'all' | 'inference' | 'loss' | 'prediction' | 'training';

const inTraining: readonly Use[] = ['all', 'loss', 'training'];
const inEvaluation: readonly Use[] = ['all', 'inference', 'loss'];
export const inPrediction: readonly Use[] = ['all', 'inference', 'prediction'];
const allUses: readonly Use[] = ['all', 'inference', 'loss', 'prediction', 'training'];

interface Value {
  readonly bytes: number;
  readonly kind: MemoryKind;
  readonly type: ElementType;
  /** Written from outside before a run. */
  readonly given: boolean;
}

export class ProgramBuilder {
  readonly maxExamples: number;
  readonly training: TrainingStep[] = [];
  readonly evaluation: KernelCall[] = [];
  readonly prediction: KernelCall[] = [];
  private readonly values = new Map<string, Value>();
  /** All calls in the order in which any sequence makes them. */
  private readonly timeline: KernelCall[] = [];

  /** What the program is for: calls that only another use needs are left out. */
  private readonly uses: readonly Use[];

  constructor(maxExamples: number, uses: readonly Use[] = allUses) {
    this.maxExamples = maxExamples;
    this.uses = uses;
  }

  /** A value of a microbatch: so many elements an example. */
  declare(name: string, elementsPerExample: number, type: ElementType = 'f32', given = false): string {
    return this.add(name, 4 * elementsPerExample * this.maxExamples, 'activations', type, given);
  }

  /** A value of this size whatever the microbatch. */
  declareFixed(name: string, elements: number): string {
    return this.add(name, 4 * elements, 'workspace', 'f32', false);
  }

  /** A name that no other value has, from a wish. */
  freshName(wish: string): string {
    let name = wish;
    for (let k = 2; this.values.has(name); k += 1) name = `${wish}#${k}`;
    return name;
  }

  /** @param workspace the name that the plan was given for its workspace. */
  emit(plan: KernelPlan, use: Use, workspace?: string): void {
    if (!this.uses.includes(use)) return;
    if (plan.workspaceBytes > 0) this.add(workspace ?? '', plan.workspaceBytes, 'workspace', 'f32', false);
    for (const call of plan.calls) {
      this.timeline.push(call);
      if (inTraining.includes(use)) this.training.push(call);
      if (inEvaluation.includes(use)) this.evaluation.push(call);
      if (inPrediction.includes(use)) this.prediction.push(call);
    }
  }

  stop(step: StatisticsStop): void {
    this.training.push(step);
  }

  get calls(): readonly KernelCall[] {
    return this.timeline;
  }

  /** When each value is alive, in places of the timeline. Those that no call names are left out, but for what is given. */
  lifetimes(): Lifetime[] {
    const found = new Map<string, { first: number; last: number }>();
    this.timeline.forEach((call, at) => {
      for (const name of Object.values(call.buffers)) {
        const known = found.get(name);
        if (known === undefined) found.set(name, { first: at, last: at });
        else known.last = at;
      }
    });
    return [...this.values].flatMap(([name, { bytes, kind, type, given }]) => {
      const known = found.get(name);
      if (!known && !given) return [];
      const { first, last } = known ?? { first: 0, last: 0 };
      return [{ name, bytes, kind, type, first: given ? 0 : first, last }];
    });
  }

  private add(name: string, bytes: number, kind: MemoryKind, type: ElementType, given: boolean): string {
    if (this.values.has(name)) throw new RangeError(`The value "${name}" is declared twice.`);
    this.values.set(name, { bytes: Math.max(4, bytes), kind, type, given });
    return name;
  }
}
