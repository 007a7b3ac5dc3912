// A run of a neural net at one member: an engine with the state, and the rows that it learns from.

import { readNeuralSpec } from '../../../shared/neural/run/readNeuralSpec.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import type { Assignment } from '../../memberRun/memberRun.ts';
import type { GenerationContext, MemberRun, MemberRunKind } from '../../memberRun/memberRun.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';
import { MemberState } from './memberState.ts';
import { StepLoop } from './stepLoop.ts';
import { TensorRows } from './tensorRows.ts';

export const neuralMemberRun: MemberRunKind = {
  async open({ runId }, specJson, environment) {
    const spec = readNeuralSpec(specJson);
    const engine = await environment.createEngine(spec);
    return new NeuralMemberRun(runId, spec, engine, environment);
  },
};

class NeuralMemberRun implements MemberRun {
  readonly runId: string;
  readonly endsTogether = true;
  readonly #spec: NeuralSpec;
  readonly #state: MemberState;
  readonly #train: TensorRows;
  readonly #valid: TensorRows | undefined;
  #assignment: Assignment | undefined;
  #isMixed = false;
  lostReason: string | undefined;

  constructor(runId: string, spec: NeuralSpec, engine: TrainingEngine, environment: SessionEnvironment) {
    this.runId = runId;
    this.#spec = spec;
    this.#state = new MemberState(engine, spec, environment);
    this.#train = new TensorRows(spec.train, spec.seed, environment);
    this.#valid = spec.valid && new TensorRows(spec.valid, undefined, environment);
    void engine.lost.then((reason) => (this.lostReason = reason));
  }

  get committedRounds(): number {
    return Math.max(0, this.#state.step);
  }

  /** Rows are read as they are needed. */
  preload(): Promise<void> {
    return Promise.resolve();
  }

  prepare(assignment: Assignment): Promise<void> {
    this.#assignment = assignment;
    return Promise.resolve();
  }

  async meet({ collective, signal }: GenerationContext): Promise<void> {
    const settled = await this.#state.settle(collective, this.#assignment!, signal);
    this.#isMixed = settled.isMixed;
  }

  async train(context: GenerationContext): Promise<void> {
    const loop = new StepLoop({
      runId: this.runId,
      spec: this.#spec,
      state: this.#state,
      train: this.#train,
      valid: this.#valid,
      context,
      isMixed: this.#isMixed,
      isChecked: this.#assignment?.isChecked === true,
      savedSteps: this.#assignment?.savedState?.rounds ?? this.#spec.firstStep,
    });
    await loop.run();
  }

  /** The members have it all. */
  knownRounds(): [] {
    return [];
  }

  close(): Promise<void> {
    return this.#state.engine.close();
  }
}
