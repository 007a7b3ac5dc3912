// Nets that only tfjs knows, and nets whose inputs are open, are predicted in batches as they are served: by tfjs, which is
// the oracle here.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { programOf } from '../../../coordinator/program/programCode.ts';
import { NeuralPredictor } from '../../../coordinator/predict/neuralPredictor.ts';
import { NeuralPredictor as WorkersPredictor } from '../../../client/program/neuralPredictor.ts';
import { readLayersFolder } from '../../../coordinator/checkpoint/layersFolder.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { saveFolder } from '../train/neural/savedFolders.ts';

const { layers } = tf;
const ROWS = 600;
const folders: string[] = [];
let recurrent: tf.LayersModel;
let folder: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  recurrent = tf.sequential({
    layers: [
      layers.lstm({ units: 3, inputShape: [3, 2] }),
      layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  folder = await saved(recurrent);
});
afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true })));

async function saved(model: tf.LayersModel): Promise<string> {
  const made = await saveFolder(model);
  folders.push(made);
  return made;
}

const values = Float32Array.from({ length: 6 * ROWS }, (_, i) => Math.sin(i));
const rows = Array.from({ length: ROWS }, (_, row) => values.subarray(6 * row, 6 * row + 6));

function expectClose(
  found: Record<string, ArrayLike<unknown>>,
  wanted: readonly (readonly number[])[],
): void {
  wanted.forEach((row, at) =>
    row.forEach((value, column) => expect(found[`predictions_${column}`]![at]).toBeCloseTo(value, 5)),
  );
}

describe('Options of a predictor', () => {
  it.each([
    ['outputColum', { outputColum: 'p' }, 'is not an option; did you mean outputColumn?'],
    ['device', { device: 'gpu' }, 'is "gpu"; expected cpu or webgpu'],
    ['keepColumns', { keepColumns: 'id' }, 'is "id"; expected true, false or a list of names'],
    ['outputColumn', { outputColumn: '' }, 'is ""; expected a name'],
    ['featureColumns', { featureColumns: 'x' }, 'is "x"; expected a list of names, or one for each input'],
    ['featureColumns.other', { featureColumns: { other: ['x'] } }, 'is no input of the model, which takes '],
  ])('are refused by name: %s', (field, options, problem) => {
    const make = () => new NeuralPredictor(folder, options as never);
    expect(make).toThrow(expect.objectContaining({ code: 'PREDICT_ARGUMENT', place: { field } }));
    expect(make).toThrow(`${field} ${problem}`);
  });
});

describe('A net that only tfjs knows', () => {
  it('is refused before it takes memory for weights that its manifest does not name', async () => {
    const made = await saved(recurrent);
    const file = join(made, 'model.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"units":3', '"units":1048576'));
    await expect(new NeuralPredictor(made).call({ x: rows })).rejects.toMatchObject({
      code: 'NEURAL_MODEL_INVALID',
      message: expect.stringMatching(
        /more than the \d+ numbers that its manifest names: layer ".*" asks for a kernel of \[2, 4194304\]/,
      ) as string,
    });
  });

  it('is predicted in this process, in many batches', async () => {
    const wanted = (recurrent.predict(tf.tensor(values, [ROWS, 3, 2])) as tf.Tensor2D).arraySync();
    const predictor = new NeuralPredictor(folder, { keepColumns: ['id'], featureColumns: ['x'] });
    const id = Array.from({ length: ROWS }, (_, row) => row);
    const both = await Promise.all([
      predictor.call({ x: rows, id }),
      predictor.call({ x: rows.slice(0, 3), id: id.slice(0, 3) }),
    ]);
    expectClose(both[0], wanted);
    expectClose(both[1], wanted.slice(0, 3));
    expect(both[0]['id']).toBe(id);
    expect(both.map((found) => found['predictions_0']!.length)).toEqual([ROWS, 3]);
    await predictor.close();
    const dataset = fromItems(rows.slice(0, 4).map((x) => ({ x: [...x] })));
    const mapped = await dataset.mapBatches(NeuralPredictor, { fnConstructorArgs: [folder] }).takeAll();
    expect(mapped.map((row) => (row as Record<string, number>)['predictions_1'])).toEqual(
      wanted.slice(0, 4).map((row) => expect.closeTo(row[1]!, 5) as number),
    );
  });

  it('tells workers its columns before they begin, and is the same there', async () => {
    const program = await programOf(NeuralPredictor, [folder], {
      form: 'class',
      what: 'mapBatches',
    } as never);
    expect(program.predicts).toMatchObject({ outputs: ['predictions_0', 'predictions_1'] });
    const there = new WorkersPredictor(readLayersFolder(new Checkpoint(folder)));
    const wanted = (recurrent.predict(tf.tensor(values, [ROWS, 3, 2])) as tf.Tensor2D).arraySync();
    expectClose(await there.call({ x: rows }), wanted);
  });

  it('names the row and the column that do not fit', async () => {
    const predictor = new NeuralPredictor(folder);
    await expect(predictor.call({ x: [rows[0]!, rows[1]!.subarray(1)] })).rejects.toMatchObject({
      code: 'TRAIN_COLUMN_UNSUITABLE',
      message: 'row 1 of a batch: x have 5 values; "lstm_LSTM1_input" takes 6 ([3, 2])',
    });
    await predictor.close();
  });

  it('whose weights are not its own is refused when it is opened', async () => {
    const other = await saveFolder(recurrent, {
      weight: (all, entry) => ({
        bytes: new Uint8Array(all.buffer),
        entry: { ...entry, name: `other/${entry.name}` },
      }),
    });
    folders.push(other);
    const predictor = new NeuralPredictor(other);
    await expect(predictor.call({ x: rows })).rejects.toMatchObject({ code: 'NEURAL_MODEL_INVALID' });
  });
});

describe('A net with open dimensions', () => {
  it('takes sequences of any length, and images of any size as nested lists', async () => {
    const sequences = tf.sequential({ layers: [layers.simpleRNN({ units: 2, inputShape: [null, 2] })] });
    const ofSequences = new NeuralPredictor(await saved(sequences));
    for (const length of [1, 4]) {
      const some = rows.slice(0, 5).map((row) => [...row, ...row].slice(0, 2 * length));
      const wanted = (sequences.predict(tf.tensor(some, [5, length, 2])) as tf.Tensor2D).arraySync();
      expectClose(await ofSequences.call({ x: some }), wanted);
    }
    await ofSequences.close();

    const x = tf.input({ shape: [null, null, 1] });
    const pooled = layers
      .globalAveragePooling2d({})
      .apply(layers.conv2d({ filters: 2, kernelSize: 2 }).apply(x));
    const images = tf.model({ inputs: x, outputs: pooled as tf.SymbolicTensor });
    const ofImages = new NeuralPredictor(await saved(images));
    expect(await ofImages.outputColumns()).toEqual(['predictions_0', 'predictions_1']);
    for (const [height, width] of [
      [2, 3],
      [3, 2],
      [5, 4],
    ] as const) {
      const image = Array.from({ length: height }, (_, i) =>
        Array.from({ length: width }, (__, j) => [Math.sin(3 * i + j)]),
      );
      const wanted = (images.predict(tf.tensor4d([image, image])) as tf.Tensor2D).arraySync();
      expectClose(await ofImages.call({ x: [image, image] }), wanted);
    }
    await expect(ofImages.call({ x: [[1, 2, 3, 4, 5, 6]] })).rejects.toThrow(
      /takes \[any, any, 1\], and 6 values/,
    );
    await ofImages.close();
  });

  it('says that its columns are not known before, where they are not', async () => {
    const net = tf.sequential({
      layers: [layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [null, null, 1] })],
    });
    const predictor = new NeuralPredictor(await saved(net));
    await expect(predictor.outputColumns()).rejects.toThrow(/depends on that of the input/);
    const found = await predictor.call({ x: [[[[1], [2]]]] });
    expect(Object.keys(found)).toEqual(['predictions_0', 'predictions_1']);
    await predictor.close();
  });
});
