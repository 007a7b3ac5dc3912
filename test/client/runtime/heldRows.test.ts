import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { heldRowsOf, type HeldRows } from '../../../client/runtime/heldRows.ts';
import { HeldPlace } from '../../../client/runtime/heldPlace.ts';
import { encodeShard } from '../../../shared/gbdt/shardCodec.ts';
import { encodeTensorShard } from '../../../shared/neural/run/tensorShard.ts';
import type { CoordinatorMessageOf, Lease } from '../../../shared/protocol/control.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { loopSpec } from '../../setup/runSpecs.ts';

const blobs = new Map<string, Uint8Array>();
const fetched: string[] = [];

function store(bytes: Uint8Array): string {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  blobs.set(sha256, bytes);
  return sha256;
}
const storeJson = (value: unknown): string => store(new TextEncoder().encode(JSON.stringify(value)));

function fetchBytes(sha256: string): Promise<Uint8Array> {
  fetched.push(sha256);
  const found = blobs.get(sha256);
  return found ? Promise.resolve(found) : Promise.reject(new Error('gone'));
}

function makeTrainSpec(names: readonly string[]): TrainSpec {
  return buildTrainSpec({
    params: resolveParams({}),
    numBoostRound: 1,
    features: names.map((name) => ({
      name,
      cuts: { categorical: false, cuts: Float32Array.of(0.5), belowAll: -1 },
    })),
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows: 1,
    evaluationSets: [],
  });
}

function leaseOf(dataset: string, index: number, rows: number, sha256 = 'f'.repeat(64)): Lease {
  return { dataset, index, firstRow: index * 100, rows, sha256, sizeBytes: 1 };
}

beforeEach(() => {
  blobs.clear();
  fetched.length = 0;
});

describe('The rows that a worker holds', () => {
  const shard = encodeShard({
    firstRow: 100,
    rows: 7,
    labels: Float32Array.of(0.1, 1, -2.5, 3, 4, 5, 6),
    bins: [Uint8Array.of(0, 1, 255, 3, 4, 5, 6), Uint8Array.of(9, 8, 7, 6, 5, 4, 3)],
  });

  it('of a run of trees are those of its leases, as labels and steps', async () => {
    const spec = storeJson(makeTrainSpec(['dep_time', 'a\u202Eb']));
    const leases = [leaseOf('train', 1, 7, store(shard)), leaseOf('train', 4, 5), leaseOf('valid', 0, 3)];
    const held = await heldRowsOf({ spec, leases, spares: [leaseOf('train', 2, 11)] }, fetchBytes);
    expect(held).toEqual<HeldRows>({
      datasets: [
        { name: 'train', rows: 12 },
        { name: 'valid', rows: 3 },
      ],
      spareRows: 11,
      areSteps: true,
      columnCount: 3,
      look: {
        dataset: 'train',
        firstRow: 100,
        columns: ['label', 'dep_time', 'a\\u202eb'],
        values: [
          ['0.1', '0', '9'],
          ['1', '1', '8'],
          ['-2.5', '–', '7'],
          ['3', '3', '6'],
          ['4', '4', '5'],
        ],
      },
    });
    expect(fetched).toHaveLength(2);
  });

  it('are those of all members where these share them', async () => {
    const spec = storeJson(makeTrainSpec(['a', 'b']));
    const mine = [leaseOf('train', 1, 7, store(shard))];
    const place = { spec, leases: mine, groupLeases: [mine, [leaseOf('train', 0, 100)]] };
    expect((await heldRowsOf(place, fetchBytes))?.datasets).toEqual([{ name: 'train', rows: 107 }]);
  });

  it('are none where nothing is leased, and can not be had where they are gone', async () => {
    const spec = storeJson(makeTrainSpec(['a', 'b']));
    expect(await heldRowsOf({ spec, leases: [] }, fetchBytes)).toBeUndefined();
    await expect(heldRowsOf({ spec, leases: [leaseOf('train', 0, 7)] }, fetchBytes)).rejects.toThrow('gone');
  });

  it("of an owner's loop are the first ones of its first dataset, as values", async () => {
    const image = {
      name: 'image',
      shape: [2, 3],
      storage: 'uint8',
      dtype: 'float32',
      scale: 1 / 255,
    } as const;
    const digit = { name: 'digit', shape: [], storage: 'int32', dtype: 'int32', scale: 1 } as const;
    const bytes = encodeTensorShard(
      [image, digit],
      [Uint8Array.from({ length: 12 }, (_, i) => 51 * (i % 6)), Int32Array.of(7, 8)],
      2,
    );
    const dataset = {
      rows: 2,
      shardRows: 2,
      inputs: [image],
      target: digit,
      shards: [{ rows: 2, sha256: store(bytes), sizeBytes: bytes.length }],
    };
    const spec = storeJson({ ...loopSpec(), datasets: { train: dataset } });
    expect(await heldRowsOf({ spec, leases: [] }, fetchBytes)).toEqual<HeldRows>({
      datasets: [{ name: 'train', rows: 2 }],
      spareRows: 0,
      areSteps: false,
      columnCount: 2,
      look: {
        dataset: 'train',
        firstRow: 0,
        columns: ['image', 'digit'],
        values: [
          ['0, 0.2, 0.4, 0.6, … (6)', '7'],
          ['0, 0.2, 0.4, 0.6, … (6)', '8'],
        ],
      },
    });
  });
});

it('A worker holds rows from its assignment to the release of that run', async () => {
  const held = new HeldPlace();
  const membership = {
    welcome: { workerId: 'w', secret: 's' } as CoordinatorMessageOf<'welcome'>,
    over: new AbortController(),
  };
  const shown: unknown[] = [];
  const look = (): Promise<HeldRows | undefined> =>
    held.look(membership, (sha256, { credentials }) => {
      shown.push(credentials);
      return fetchBytes(sha256);
    });
  expect(await look()).toBeUndefined();
  const shard = encodeShard({ firstRow: 0, rows: 1, labels: Float32Array.of(1), bins: [Uint8Array.of(2)] });
  const assign = {
    type: 'assign',
    runId: 'r',
    spec: storeJson(makeTrainSpec(['a'])),
    leases: [leaseOf('train', 0, 1, store(shard))],
  } as unknown as CoordinatorMessageOf<'assign'>;
  held.hear(assign);
  expect((await look())?.look.values).toEqual([['1', '2']]);
  expect(shown[0]).toEqual({ workerId: 'w', secret: 's' });
  held.hear({ type: 'release', runId: 'other', reason: 'x' });
  expect(await look()).toBeDefined();
  held.hear({ type: 'release', runId: 'r', reason: 'x' });
  expect(await look()).toBeUndefined();
});
