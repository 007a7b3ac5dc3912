// Confusion matrix and sample predictions, by the checkpoint as any program of tfjs loads it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { NeuralResult } from '../../coordinator/index.ts';
import { formatCount } from '../../coordinator/progress/formatNumbers.ts';
import { confusionMatrix, samplePredictions, type Sample } from './pictures.ts';
import type { Digits } from './readIdx.ts';
import { percent } from './trainDigits.ts';

const CLASSES = 10;
const SIDE = 28;
/** Of the first images, and of those that were taken for others. */
const SHOWN = 16;

/** Writes both as SVG. Answers with the folder and with what the first picture says. */
export async function drawDigits(
  { checkpoint, path }: NeuralResult,
  digits: Digits,
): Promise<{ readonly folder: string; readonly title: string }> {
  const samples = await predictDigits(checkpoint, digits);
  const counts = Array.from({ length: CLASSES }, () => Array.from({ length: CLASSES }, () => 0));
  for (const { label, probabilities } of samples) counts[label]![likeliest(probabilities)]! += 1;
  const wrong = samples.filter(({ label, probabilities }) => likeliest(probabilities) !== label);
  const [hits, shown] = [samples.length - wrong.length, wrong.slice(0, SHOWN)];
  const title = `${formatCount(hits)} of ${formatCount(samples.length)} test images right (${percent(hits / samples.length)})`;
  const folder = join(path, 'pictures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'confusion.svg'), confusionMatrix(counts, title));
  writeFileSync(
    join(folder, 'samples.svg'),
    samplePredictions(
      [...samples.slice(0, SHOWN), ...shown],
      `The first ${Math.min(SHOWN, samples.length)} test images, and ${shown.length} of those taken for others`,
    ),
  );
  return { folder, title };
}

const likeliest = (probabilities: readonly number[]): number =>
  probabilities.indexOf(Math.max(...probabilities));

async function predictDigits(checkpoint: NeuralResult['checkpoint'], digits: Digits): Promise<Sample[]> {
  const { topology, state } = checkpoint.loadNet();
  const model = await tf.models.modelFromJSON({ modelTopology: topology } as never);
  for (const layer of model.layers) {
    const tensors = layer.weights.map(({ originalName }) => state.weights.get(originalName)!);
    layer.setWeights(tensors.map(({ values, shape }) => tf.tensor(values, [...shape])));
  }
  const length = SIDE * SIDE;
  return Array.from({ length: digits.rows }, (_, row) => {
    const pixels = digits.inputs.values.slice(row * length, (row + 1) * length);
    const probabilities = tf.tidy(() => {
      const input = tf.tensor(
        Float32Array.from(pixels, (byte) => byte / 127.5 - 1),
        [1, SIDE, SIDE, 1],
      );
      return [...tf.softmax(model.predict(input) as tf.Tensor).dataSync()];
    });
    return { pixels, width: SIDE, label: digits.labels.values[row]!, probabilities };
  });
}
