// One predictor of trees and one of nets: what callers are answered over HTTP, by a replica in a thread and by one on a
// worker, is to the last bit what batch predictions give, in this process and on workers.

import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { NeuralPredictor } from '../../../coordinator/predict/neuralPredictor.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { saveFolder } from '../train/neural/savedFolders.ts';
import { makeLayersModels, type LayersModels } from './layersModels.ts';
import { flights, makeServedModels, type ServedModels } from './servedModels.ts';

let trees: ServedModels;
let nets: LayersModels;
let coordinator: Coordinator;
let localWorkers: LocalWorkers;
let serve: Serve;
const folders: string[] = [];
beforeAll(async () => {
  trees = makeServedModels();
  nets = await makeLayersModels();
  coordinator = await startCoordinator({ port: 0 });
  const { url, tokens } = coordinator;
  localWorkers = await startLocalWorkers({
    url,
    token: tokens.local,
    count: 2,
    runtime: 'node',
    device: 'cpu',
    allowCode: false,
  });
  serve = new Serve({ coordinator, log: () => undefined });
});
afterAll(async () => {
  await serve.shutdown();
  await localWorkers.stop();
  await coordinator.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
  trees.remove();
  nets.remove();
});

/** Numbers that float32 does not hold exactly. */
const number = (i: number): number => Math.sin(i) / 3;
const ROWS = 301;
const rowsOf = (width: number): number[][] =>
  Array.from({ length: ROWS }, (_, row) => Array.from({ length: width }, (__, i) => number(row * width + i)));

interface Served {
  readonly checkpoint: Checkpoint;
  readonly Predictor: typeof GBDTPredictor | typeof NeuralPredictor;
  /** Records as they are posted. */
  readonly posted: readonly object[];
  /** The same as rows of a dataset. */
  readonly batched: readonly Readonly<Record<string, unknown>>[];
  /** Names of the columns of predictions. */
  readonly columns: readonly string[];
}

/** A dense net with what its trainer did to its columns beside it. */
function scaled(): Checkpoint {
  const place = join(nets.folder, 'scaled');
  cpSync(nets.dense.checkpoint.path, place, { recursive: true });
  const input = { name: 'dense_Dense1_input', columns: ['x'], scale: 1 / 127.5, offset: -0.1 };
  writeFileSync(join(place, 'inputs.json'), JSON.stringify({ inputs: [input] }));
  return new Checkpoint(place);
}

/** Convolutions, batch norm and max pooling. */
async function images(): Promise<Checkpoint> {
  const { layers } = tf;
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: 5, kernelSize: 3, inputShape: [7, 7, 2], useBias: false }),
      layers.batchNormalization({}),
      layers.activation({ activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
  const folder = await saveFolder(model);
  folders.push(folder);
  return new Checkpoint(folder);
}

const named = (name: string, rows: readonly (readonly unknown[])[]): Readonly<Record<string, unknown>>[] =>
  rows.map((row) => ({ [name]: row }));

const shaped = (row: readonly number[], [first, ...rest]: readonly number[]): unknown[] => {
  if (first === undefined || rest.length === 0) return [...row];
  const size = row.length / first;
  return Array.from({ length: first }, (_, i) => shaped(row.slice(i * size, (i + 1) * size), rest));
};

const cases: readonly [string, () => Promise<Served> | Served][] = [
  [
    'a model of trees',
    () => ({
      checkpoint: trees.late.checkpoint,
      Predictor: GBDTPredictor,
      posted: flights(ROWS),
      batched: flights(ROWS).map((row) => ({ ...row })),
      columns: ['predictions'],
    }),
  ],
  [
    'trees of three classes',
    () => {
      const points = rowsOf(2).map(([x, y]) => ({ x: 48 + 150 * x!, y: 48 + 150 * y! }));
      const columns = ['predictions_0', 'predictions_1', 'predictions_2'];
      const { checkpoint } = trees.classes;
      return { checkpoint, Predictor: GBDTPredictor, posted: points, batched: points, columns };
    },
  ],
  [
    'a net that the compiled engine knows, scaled as in training',
    () => ({
      checkpoint: scaled(),
      Predictor: NeuralPredictor,
      posted: named('dense_Dense1_input', rowsOf(4)),
      batched: named('x', rowsOf(4)),
      columns: ['predictions_0', 'predictions_1', 'predictions_2'],
    }),
  ],
  [
    'a net of images',
    async () => {
      const rows = rowsOf(98).map((row) => shaped(row, [7, 7, 2]));
      const checkpoint = await images();
      return {
        checkpoint,
        Predictor: NeuralPredictor,
        posted: rows,
        batched: named('image', rows),
        columns: ['predictions'],
      };
    },
  ],
  [
    'a net that only tfjs knows',
    () => {
      const rows = rowsOf(6).map((row) => shaped(row, [3, 2]));
      return {
        checkpoint: nets.sequence.checkpoint,
        Predictor: NeuralPredictor,
        posted: rows,
        batched: named('pairs', rows),
        columns: ['predictions'],
      };
    },
  ],
];

/** Of every row, the numbers that were predicted. */
const numbersOf = (answers: readonly Readonly<Record<string, unknown>>[]): number[][] =>
  answers.map((answer) => Object.values(answer).flat() as number[]);

describe.each(cases)('%s', (_, make) => {
  it('answers over HTTP, from a thread and from a worker, what batch predictions give, bit for bit', async () => {
    const { checkpoint, Predictor, posted, batched, columns } = await make();
    const { url, tokens } = coordinator;
    const mapped = (scalingConfig?: object): Promise<unknown[]> =>
      fromItems(batched as Record<string, unknown>[])
        .mapBatches(Predictor as typeof NeuralPredictor, {
          fnConstructorArgs: [checkpoint],
          batchSize: 70,
          ...(scalingConfig && { scalingConfig }),
        })
        .takeAll();
    const here = (await mapped()) as Record<string, number>[];
    expect(here).toHaveLength(ROWS);
    expect(Object.keys(here[0]!)).toEqual(columns);
    const expected = numbersOf(here);
    expect(new Set(expected.flat()).size).toBeGreaterThan(10);
    const there = await mapped({ url, token: tokens.admin, numWorkers: 1 });
    expect(numbersOf(there as Record<string, number>[])).toEqual(expected);

    await serve.run(deployment(checkpoint), { name: 'thread', port: 0 });
    await serve.run(deployment(checkpoint, { runOn: 'pool', runtime: 'node' }), {
      name: 'pool',
      routePrefix: '/pool',
    });
    for (const place of ['/', '/pool']) {
      const post = async (body: unknown): Promise<Record<string, unknown>[]> => {
        const response = await fetch(serve.url + place, { method: 'POST', body: JSON.stringify(body) });
        expect(response.status).toBe(200);
        return (await response.json()) as Record<string, unknown>[];
      };
      expect(numbersOf(await post(posted))).toEqual(expected);
      // Requests that wait together are one batch.
      const single = await Promise.all(posted.slice(0, 40).map((row) => post([row])));
      expect(numbersOf(single.flat())).toEqual(expected.slice(0, 40));
    }
    await serve.delete('thread');
    await serve.delete('pool');
  });
});
