// A model.json of tfjs that others give: what it claims is counted before it is believed.

import { describe, expect, it } from 'vitest';
import { readLayersFiles } from '../../../../shared/neural/model/layersFiles.ts';
import {
  readModelJson,
  readWeights,
  writeLayersModel,
} from '../../../../shared/neural/model/layersFormat.ts';
import { CarriedCheckpoint } from '../../../../shared/program/carriedCheckpoint.ts';

const weight = (name: string, shape: readonly number[]) => ({ name, shape, dtype: 'float32' });
const text = (weightsManifest: unknown): string => JSON.stringify({ modelTopology: {}, weightsManifest });
const read = (weightsManifest: unknown) => readModelJson(text(weightsManifest), 'model.json');

describe('A tf.LayersModel that is written', () => {
  const tensor = (name: string, shape: readonly number[]) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => name.length + i);
    return [name, { shape, values }] as const;
  };
  const weights = new Map([
    tensor('kernel', [5, 7]),
    tensor('none', [0, 3]),
    tensor('scalar', []),
    tensor('long', [64]),
  ]);
  const bytes = 4 * (35 + 1 + 64);

  it.each([
    [1, bytes + 1],
    [1, bytes],
    [2, bytes - 1],
    [2, bytes / 2],
    // Ends in the middle of numbers.
    [8, 57],
    [100, 4],
  ])('has its weights in %i files, no larger than said, and is read again', (count, shardBytes) => {
    const { modelText, files } = writeLayersModel({ class_name: 'Sequential' }, weights, shardBytes);
    expect(files.size).toBe(count);
    for (const file of files.values()) expect(file.length).toBeLessThanOrEqual(shardBytes);
    const { manifest } = readModelJson(modelText, 'model.json');
    expect(manifest[0]!.paths).toEqual([...files.keys()]);
    expect(files.has('weights.bin')).toBe(count === 1);
    expect(readWeights(manifest, (path) => files.get(path)!, 'model.json')).toEqual(weights);
  });

  it('is read from files of which some are empty', () => {
    const { modelText, files } = writeLayersModel({ class_name: 'Sequential' }, weights);
    const { manifest } = readModelJson(modelText, 'model.json');
    const whole = files.get('weights.bin')!;
    const parts = new Map([
      ['a', new Uint8Array()],
      ['b', whole.subarray(0, 17)],
      ['c', new Uint8Array()],
      ['d', whole.subarray(17)],
      ['e', new Uint8Array()],
    ]);
    const cut = [{ ...manifest[0]!, paths: [...parts.keys()] }];
    expect(readWeights(cut, (path) => parts.get(path)!, 'model.json')).toEqual(weights);
  });

  it('has a file of weights, if an empty one, without any', () => {
    const { files } = writeLayersModel({ class_name: 'Sequential' }, new Map());
    expect([...files].map(([name, { length }]) => [name, length])).toEqual([['weights.bin', 0]]);
  });
});

describe('The manifest of a tf.LayersModel', () => {
  it('is read as it is, up to 50,000 tensors', () => {
    const weights = Array.from({ length: 49_999 }, (_, i) => weight(`w${i}`, [1]));
    expect(read([{ paths: ['a', 'b'], weights }]).manifest[0]?.weights).toHaveLength(49_999);
  });

  it.each([
    [
      'weights',
      [{ paths: ['w'], weights: Array(3_000_000).fill(0) }],
      'has 3000001 weights; expected at most 50000',
    ],
    ['groups', Array(3_000_000).fill(0), 'has 3000000 paths; expected at most 50000'],
    [
      'weights over all groups',
      Array.from({ length: 30 }, () => ({ paths: [], weights: Array(2_000).fill(0) })),
      'has 60030 weights; expected at most 50000',
    ],
  ])('with too many %s is refused in no time, with a short message', (_, manifest, message) => {
    expect(() => read(manifest)).toThrow(`model.json: weightsManifest ${message}`);
  });

  it('names each file once, or a small manifest would be a large model', () => {
    expect(() =>
      read([
        { paths: ['a', 'b'], weights: [] },
        { paths: ['a'], weights: [] },
      ]),
    ).toThrow('model.json: weightsManifest names the file "a" twice');
  });

  it('gives no name that fills the screen', () => {
    expect(() => read([{ paths: ['a'], weights: [weight('n'.repeat(10_000_000), [1])] }])).toThrow(
      /^model\.json is no tf\.LayersModel: weightsManifest\.0\.weights\.0\.name: Too big: expected string to have <=1000 characters$/,
    );
  });

  it.each([
    [[1e15, 1e15], 'ends at byte 4e+30, the files have 8'],
    [[3], 'ends at byte 12, the files have 8'],
    [[1], 'the weights have 8 bytes; the manifest names 4'],
  ])(
    'whose tensor claims the shape %j is compared with the bytes before memory is taken',
    (shape, message) => {
      const { manifest } = read([{ paths: ['a'], weights: [weight('w', shape)] }]);
      expect(() => readWeights(manifest, () => new Uint8Array(8), 'model.json')).toThrow(message);
    },
  );

  it('tells of many files that do not fit in few words', () => {
    const paths = Array.from({ length: 3_000 }, (_, i) => `part${i}`);
    const modelJson = new TextEncoder().encode(text([{ paths, weights: [weight('w', [1])] }]));
    const files = new Map(paths.map((path) => [path, new Uint8Array(1)]));
    const checkpoint = new CarriedCheckpoint(new Map([...files, ['model.json', modelJson]]));
    expect(() => readLayersFiles(checkpoint, 'model.json')).toThrow(
      'The weights part0, part1, part2, part3 and 2996 more of model.json have 3000 bytes; its manifest tells 4',
    );
  });
});
