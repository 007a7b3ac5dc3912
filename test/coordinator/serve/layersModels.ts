// tf.LayersModels to serve, made and saved by tfjs itself: the oracle is its own predict.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';

interface SavedModel {
  readonly model: tf.LayersModel;
  readonly checkpoint: Checkpoint;
}

export interface LayersModels {
  /** Four numbers to the chances of three classes. */
  readonly dense: SavedModel;
  /** An image of 6 × 6 × 1 and two word numbers to a score, and a label of two. */
  readonly branched: SavedModel;
  /** Any number of pairs to one number. */
  readonly sequence: SavedModel;
  readonly folder: string;
  remove(): void;
}

export async function makeLayersModels(): Promise<LayersModels> {
  tf.enableProdMode();
  await tf.setBackend('cpu');
  const folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-layers-'));
  const normal = (seed: number) => tf.initializers.randomNormal({ seed, stddev: 0.5 });
  const dense = tf.sequential({
    layers: [
      tf.layers.dense({ units: 8, inputShape: [4], activation: 'relu', kernelInitializer: normal(1) }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: normal(2) }),
    ],
  });
  const image = tf.input({ shape: [6, 6, 1], name: 'image' });
  const words = tf.input({ shape: [2], dtype: 'int32', name: 'words' });
  const seen = tf.layers
    .flatten()
    .apply(tf.layers.conv2d({ filters: 3, kernelSize: 3, kernelInitializer: normal(3) }).apply(image));
  const read = tf.layers
    .flatten()
    .apply(
      tf.layers.embedding({ inputDim: 10, outputDim: 4, embeddingsInitializer: normal(4) }).apply(words),
    );
  const both = tf.layers.concatenate().apply([seen, read] as tf.SymbolicTensor[]);
  const head = (name: string, units: number, seed: number) =>
    tf.layers.dense({ name, units, kernelInitializer: normal(seed) }).apply(both) as tf.SymbolicTensor;
  const branched = tf.model({ inputs: [image, words], outputs: [head('score', 1, 5), head('label', 2, 6)] });
  const sequence = tf.sequential({
    layers: [tf.layers.simpleRNN({ units: 1, inputShape: [null, 2], kernelInitializer: normal(7) })],
  });
  const save = async (name: string, model: tf.LayersModel): Promise<SavedModel> => {
    const place = path.join(folder, name);
    mkdirSync(place);
    await model.save(tf.io.withSaveHandler((artifacts) => Promise.resolve(write(place, artifacts))));
    return { model, checkpoint: new Checkpoint(place) };
  };
  return {
    dense: await save('dense', dense),
    branched: await save('branched', branched),
    sequence: await save('sequence', sequence),
    folder,
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** As tfjs's own handlers write it, here in two shards. */
function write(
  place: string,
  { modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts,
): tf.io.SaveResult {
  const bytes = Buffer.from(weightData as ArrayBuffer);
  const half = Math.floor(bytes.byteLength / 2);
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  writeFileSync(path.join(place, paths[0]!), bytes.subarray(0, half));
  writeFileSync(path.join(place, paths[1]!), bytes.subarray(half));
  const model = { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
  writeFileSync(path.join(place, 'model.json'), JSON.stringify(model));
  return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
}
