// `npm run bench:distances`: how far the gradients of one microbatch lie apart that two devices compute, by the parts that are
// compared in a check; and what is left of that once both have gone through a codec. It is what the tolerance is chosen by.

import { relativeDistance } from '../../client/neural/run/gradientDistance.ts';
import { cutPieces } from '../../client/neural/run/pieceSum.ts';
import { pieceLength } from '../../client/neural/run/redoneWork.ts';
import { f32Vector } from '../../client/neural/codec/f32Vector.ts';
import type { VectorCodec } from '../../client/neural/codec/vectorCodec.ts';
import { vectorCodecs } from '../../client/neural/codec/vectorCodecs.ts';
import { createNeuralEngine } from '../../client/runtime/createNeuralEngine.ts';
import { TensorRows } from '../../client/neural/run/tensorRows.ts';
import { decodeState, toSections } from '../../shared/neural/state/namedState.ts';
import { microbatchesOf } from '../../shared/neural/run/stepPlan.ts';
import type { StateSection, TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { NetWorld } from '../client/neural/run/netWorld.ts';
import { openNodeGpuAdapter } from '../setup/nodeGpu.ts';

const PARTS = 4;
const STEPS = 40;
const sections: readonly StateSection[] = ['parameters', 'statistics', 'optimizer'];
const codecs: Readonly<Record<string, VectorCodec>> = { f32: f32Vector, ...vectorCodecs };

const dense = (config: object): object => ({ class_name: 'Dense', config });
const deep = {
  class_name: 'Sequential',
  config: {
    name: 'deep',
    layers: [
      dense({ name: 'in', units: 64, activation: 'gelu', batch_input_shape: [null, 4] }),
      ...Array.from({ length: 6 }, (_, at) => dense({ name: `d${at}`, units: 64, activation: 'tanh' })),
      dense({ name: 'out', units: 2, activation: 'softmax' }),
    ],
  },
};

/** Largest distance of a part, by codec, over steps that both make from the state of the first. */
async function distances(topology: object | undefined): Promise<Map<string, number>> {
  const batches = { globalBatchSize: 36, microbatchSize: 12, bucketBytes: 4 * 1024 * 1024 };
  const world = await NetWorld.start({ engine: 'compiled', ...batches, ...(topology && { topology }) });
  const { spec } = world;
  const own = await createNeuralEngine(spec, undefined);
  const other = await createNeuralEngine(spec, await openNodeGpuAdapter());
  const values = toSections(own.layout, decodeState(world.blobs.get(spec.initialState.sha256)!, 'the state'));
  for (const section of sections) own.write(section, values[section]);
  const signal = new AbortController().signal;
  const fetchBlob = (sha256: string): Promise<Uint8Array> => Promise.resolve(world.blobs.get(sha256)!);
  const rows = new TensorRows(spec.train, spec.seed, { fetchBlob });
  const most = new Map<string, number>();
  for (let step = 0; step < STEPS; step += 1) {
    for (const section of sections) other.write(section, await own.read(section));
    const [place] = microbatchesOf(spec, step);
    const batch = await rows.read(place!, step, signal);
    const gradient = async (engine: TrainingEngine): Promise<Float32Array<ArrayBuffer>> => {
      engine.clear();
      await engine.accumulate(batch, { isLast: true });
      return engine.readBucket(0);
    };
    const [a, b] = [await gradient(own), await gradient(other)];
    for (const [name, codec] of Object.entries(codecs)) {
      const cut = (bucket: Float32Array): Float32Array[] =>
        cutPieces(bucket, PARTS, codec).map((piece, part) =>
          codec.decode(piece, pieceLength(bucket.length, part, PARTS)),
        );
      const [cutA, cutB] = [cut(a), cut(b)];
      for (const part of cutA.keys()) {
        const distance = relativeDistance([cutA[part]!], [cutB[part]!]);
        most.set(name, Math.max(most.get(name) ?? 0, distance));
      }
    }
    own.update({ learningRate: 0.01, step, examples: batch.examples, microbatches: 1 });
  }
  await Promise.all([own.close(), other.close(), world.close()]);
  return most;
}

const adapter = await openNodeGpuAdapter();
console.log(
  `cpu against ${adapter.info.vendor} ${adapter.info.architecture} (${adapter.info.description}), largest of ${STEPS} steps and ${PARTS} parts:\n`,
);
console.log('| net | f32 | f16 | int8 |');
console.log('| --- | --- | --- | --- |');
for (const [name, topology] of [
  ['batch normalization, dropout, tanh', undefined],
  ['eight dense layers, gelu and tanh', deep],
] as const) {
  const most = await distances(topology);
  console.log(`| ${name} | ${[...most.values()].map((value) => value.toExponential(1)).join(' | ')} |`);
}
