// The state of a model in training as flat arrays, with tfjs's variables as copies of it. The arrays are on this side, so
// that an update is the same to the bit at every peer; the price is one read of the gradients and one write of the weights
// a step, little beside what tfjs takes for the rest.

import type { EngineSpec, StateSection, UpdateOptions } from '../../../shared/neural/trainingEngine.ts';
import { onProcessor, type TfjsRuntime } from './loadTfjs.ts';
import type { ModelLayout, WeightPlace } from './modelLayout.ts';
import { clipGradients, updateWeights } from './plainUpdate.ts';

export class ModelState {
  readonly #spec: Omit<EngineSpec, 'graph'>;
  readonly #runtime: TfjsRuntime;
  readonly #places: ModelLayout;
  readonly #sections: Readonly<Record<StateSection, Float32Array<ArrayBuffer>>>;
  /** Gradients, then batch statistics, summed up. */
  readonly reduction: Float32Array<ArrayBuffer>;
  /** What the model's moving statistics hold: those of the state, or zeros. */
  #statisticsAre: 'current' | 'other' = 'other';

  constructor(spec: Omit<EngineSpec, 'graph'>, runtime: TfjsRuntime, places: ModelLayout) {
    const { lengths, reductionLength } = places.layout;
    this.#spec = spec;
    this.#runtime = runtime;
    this.#places = places;
    this.#sections = {
      parameters: new Float32Array(lengths.parameters),
      statistics: new Float32Array(lengths.statistics),
      optimizer: new Float32Array(lengths.optimizer),
    };
    this.reduction = new Float32Array(reductionLength);
  }

  /** Takes over what the model was made with. */
  async adopt(): Promise<void> {
    for (const { variable, slot } of [...this.#places.parameters, ...this.#places.statistics]) {
      this.#sections[slot.section].set(await variable.data<'float32'>(), slot.offset);
    }
  }

  read(section: StateSection): Float32Array<ArrayBuffer> {
    return this.#sections[section].slice();
  }

  write(section: StateSection, values: Float32Array): void {
    const into = this.#sections[section];
    if (values.length !== into.length) {
      throw new RangeError(`${section} has ${into.length} elements, not ${values.length}`);
    }
    into.set(values);
    if (section === 'parameters') this.#assign(this.#places.parameters, into);
    if (section === 'statistics') this.#statisticsAre = 'other';
  }

  /** For inference. */
  loadStatistics(): void {
    if (this.#statisticsAre === 'current') return;
    this.#assign(this.#places.statistics, this.#sections.statistics);
    this.#statisticsAre = 'current';
  }

  /** For training, which does not look at those that move: moved from zero, they will tell the batch's own. */
  clearStatistics(): void {
    const values = this.#sections.statistics.slice();
    for (const { slot, momentum } of this.#places.statistics)
      if (momentum !== 1) values.fill(0, slot.offset, slot.offset + slot.length);
    this.#assign(this.#places.statistics, values);
    this.#statisticsAre = 'other';
  }

  /** Applies the reduction, and clears it. */
  update({ learningRate, step, examples, microbatches }: UpdateOptions): void {
    const { optimizer } = this.#spec;
    const { parameters: weights, optimizer: memory } = this.#sections;
    const gradients = this.reduction.subarray(0, weights.length);
    const trained = this.#places.parameters.filter((place) => place.trained);
    for (const { slot, l1, l2 } of trained) {
      for (let i = slot.offset; i < slot.offset + slot.length; i += 1) {
        const penalty = l1 * Math.sign(weights[i]!) + 2 * l2 * weights[i]!;
        gradients[i] = gradients[i]! / examples + penalty;
      }
    }
    clipGradients(gradients, this.#spec);
    for (const { slot } of trained) {
      const [start, end] = [slot.offset, slot.offset + slot.length];
      updateWeights({ optimizer, weights, gradients, memory, learningRate, step, start, end });
    }
    this.#constrain();
    this.#assign(trained, weights);
    this.#moveStatistics(microbatches);
    this.reduction.fill(0);
  }

  /** Of the weights that are trained. */
  penalty(): number {
    const weights = this.#sections.parameters;
    let sum = 0;
    for (const { trained, slot, l1, l2 } of this.#places.parameters) {
      if (!trained || (l1 === 0 && l2 === 0)) continue;
      for (let i = slot.offset; i < slot.offset + slot.length; i += 1)
        sum += l1 * Math.abs(weights[i]!) + l2 * weights[i]! ** 2;
    }
    return sum;
  }

  #moveStatistics(microbatches: number): void {
    const moving = this.#sections.statistics;
    const sums = this.reduction.subarray(this.#sections.parameters.length);
    for (const { slot, momentum } of this.#places.statistics) {
      for (let i = slot.offset; i < slot.offset + slot.length; i += 1) {
        moving[i] = momentum * moving[i]! + (1 - momentum) * (sums[i]! / microbatches);
      }
    }
    this.#statisticsAre = 'other';
  }

  /** On the processor everywhere: the weights must stay the same to the bit. */
  #constrain(): void {
    const weights = this.#sections.parameters;
    for (const { slot, constraint } of this.#places.parameters) {
      if (!constraint) continue;
      const part = weights.slice(slot.offset, slot.offset + slot.length);
      const allowed = onProcessor(this.#runtime, (tf) =>
        constraint.apply(tf.tensor(part, [...slot.shape], 'float32')).dataSync<'float32'>(),
      );
      weights.set(allowed, slot.offset);
    }
  }

  #assign(places: readonly WeightPlace[], values: Float32Array): void {
    const { tf } = this.#runtime;
    for (const { variable, slot } of places) {
      const part = values.slice(slot.offset, slot.offset + slot.length);
      tf.tidy(() => variable.assign(tf.tensor(part, variable.shape, 'float32')));
    }
  }
}
