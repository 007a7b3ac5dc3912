// Neural runs in one process: real sessions over memory links with tfjs's autodiff as their engine, and a coordinator
// that does what a test says.

import { openTfjsEngine } from '../../../../client/neural/tfjs/tfjsEngine.ts';
import { loadTfjs, type TfjsRuntime } from '../../../../client/neural/tfjs/loadTfjs.ts';
import { createNeuralEngine } from '../../../../client/runtime/createNeuralEngine.ts';
import { openModel } from '../../../../coordinator/checkpoint/modelSource.ts';
import { prepareTensors } from '../../../../coordinator/train/neural/prepareTensors.ts';
import type { NeuralSpec } from '../../../../shared/neural/run/neuralSpec.ts';
import { decodeState, encodeState, type NamedState } from '../../../../shared/neural/state/namedState.ts';
import type { TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import type { WorkerMessageOf } from '../../../../shared/protocol/control.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';
import { linkKeysOf, SessionWorld } from '../../session/sessionWorld.ts';

const RUN = 'net-1';
export const ROWS = 90;

/** Two classes that a small net can tell apart, most of the time. */
export function smallRows(): { readonly x: Float32Array; readonly y: Int32Array } {
  const random = seededRandom(3);
  const x = Float32Array.from({ length: ROWS * 4 }, () => random() * 2 - 1);
  const y = Int32Array.from({ length: ROWS }, (_, row) =>
    x[4 * row]! * x[4 * row + 1]! + 0.2 * (random() - 0.5) > 0 ? 1 : 0,
  );
  return { x, y };
}

/** With batch normalisation, so that statistics travel too. */
const smallNet = {
  class_name: 'Sequential',
  config: {
    name: 'small',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'hidden', units: 8, activation: 'tanh', batch_input_shape: [null, 4] },
      },
      { class_name: 'BatchNormalization', config: { name: 'norm', momentum: 0.9 } },
      { class_name: 'Dropout', config: { name: 'drop', rate: 0.2 } },
      { class_name: 'Dense', config: { name: 'out', units: 2, activation: 'softmax' } },
    ],
  },
};

export class NetWorld extends SessionWorld {
  spec!: NeuralSpec;
  /** As the coordinator knows them: the last group that was ready. */
  stateHolders = new Set<string>();
  /** The next groups are told that strangers take part. */
  isChecked = false;
  #specHash = '';

  static async start(
    change: Partial<NeuralSpec> = {},
    wrap: (engine: TrainingEngine, workerId: string) => TrainingEngine = (engine) => engine,
    from?: NamedState,
    adapterOf: (workerId: string) => Promise<GPUAdapter | undefined> = () => Promise.resolve(undefined),
  ): Promise<NetWorld> {
    const runtime: TfjsRuntime = await loadTfjs(undefined);
    const world = new NetWorld(async (spec, workerId) => {
      const topology = spec.topology as object;
      const engine =
        spec.engine === 'compiled'
          ? await createNeuralEngine(spec, await adapterOf(workerId))
          : await openTfjsEngine({ ...spec, topology }, runtime);
      return wrap(engine, workerId);
    });
    const { x, y } = smallRows();
    const model = await openModel((change.topology as object | undefined) ?? smallNet, 11);
    const blobs = {
      putBytes: (bytes: Uint8Array) =>
        Promise.resolve({ sha256: world.put(bytes), sizeBytes: bytes.byteLength }),
    };
    const train = await prepareTensors(
      'train',
      { inputs: { values: x, shape: [4] }, labels: { values: y, shape: [] } },
      {
        model,
        loss: 'sparseCategoricalCrossentropy',
        labelColumn: undefined,
        featureColumns: undefined,
        inputScale: undefined,
        blobs,
      },
    );
    world.spec = {
      trainer: 'neural',
      topology: smallNet,
      engine: 'tfjs',
      initialState: await blobs.putBytes(
        encodeState(from ?? { step: 0, weights: model.weights, optimizer: [] }),
      ),
      firstStep: 0,
      steps: 9,
      loss: { name: 'sparseCategoricalCrossentropy', fromLogits: false },
      metrics: ['accuracy'],
      optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      learningRate: { initial: 0.05, warmupSteps: 2, decay: { kind: 'cosine', final: 0.1 } },
      // Three steps an epoch, the last of them with 18 rows.
      globalBatchSize: 36,
      microbatchSize: 6,
      seed: 5,
      bucketBytes: 1024,
      gradientCodec: 'f32',
      syncBatchNorm: false,
      train,
      valid: train,
      reportEverySteps: 1,
      checkpointEverySteps: 100,
      verifyEveryStep: true,
      ...change,
    };
    world.#specHash = world.putJson(world.spec);
    return world;
  }

  /** Puts members in a group; resolves when all are ready. */
  async form(
    generation: number,
    members: readonly string[],
    savedState?: { rounds: number; sha256: string; sizeBytes: number },
  ): Promise<void> {
    members.forEach((workerId, rank) =>
      this.say(workerId, {
        type: 'assign',
        runId: RUN,
        generation,
        rank,
        members: members.map((id, at) => ({ rank: at, workerId: id, peerId: id })),
        linkKeys: linkKeysOf(members),
        leases: [],
        spec: this.#specHash,
        stateHolders: members.flatMap((id, at) => (this.stateHolders.has(id) ? [at] : [])),
        committedRounds: 0,
        payloads: null,
        ...(this.isChecked && { isChecked: true }),
        ...(savedState && { savedState }),
      }),
    );
    for (const workerId of members)
      await this.hear(workerId, 'ready', (ready) => ready.generation === generation);
    this.stateHolders = new Set(members);
  }

  async begin(generation: number, members: readonly string[]): Promise<void> {
    await this.form(generation, members);
    this.sayAll(members, { type: 'begin', runId: RUN, generation });
  }

  /** Ends a generation; resolves with the steps that each member has committed. */
  async halt(generation: number, members: readonly string[], when: 'commit' | 'now'): Promise<number[]> {
    this.sayAll(members, {
      type: 'halt',
      runId: RUN,
      generation,
      when,
      atRounds: 1,
      knownRounds: 0,
      reason: 'the test says so',
    });
    const answers: number[] = [];
    for (const workerId of members) answers.push((await this.hear(workerId, 'halted')).committedRounds);
    return answers;
  }

  /** The losses that the first rank tells, from one step to another. */
  async losses(workerId: string, from: number, to: number): Promise<number[]> {
    const losses: number[] = [];
    for (let step = from; step < to; step++) {
      const told = await this.hear(workerId, 'committed', (message) => message.round === step);
      losses.push(told.metrics!['train-loss']!);
    }
    return losses;
  }

  state(saved: WorkerMessageOf<'saved'>): NamedState {
    return decodeState(this.blobs.get(saved.sha256)!, 'the stored state');
  }
}

export function flat({ weights }: NamedState): number[] {
  return [...weights.values()].flatMap(({ values }) => [...values]);
}

export function largestDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
}
