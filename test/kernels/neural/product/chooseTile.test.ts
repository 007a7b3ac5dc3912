import { describe, expect, it } from 'vitest';
import type { ProductSize } from '../../../../kernels/neural/product/chooseTile.ts';
import {
  adapterClass,
  candidates,
  createTileChooser,
  sizeClass,
} from '../../../../kernels/neural/product/chooseTile.ts';
import {
  heightOf,
  nameOf,
  threadsOf,
  widthOf,
  workgroupBytes,
} from '../../../../kernels/neural/product/productTile.ts';
import { forwardSize } from '../../../../kernels/neural/product/productConvolutions.ts';
import { tuneProducts, tuningKey } from '../../../../kernels/neural/product/tuneProducts.ts';
import { shapeOf } from './convolutionCases.ts';

const size = (change: Partial<ProductSize>): ProductSize => ({
  kind: 'gather',
  rows: 25_088,
  columns: 128,
  inner: 1152,
  phases: 1,
  ...change,
});
const gpu = createTileChooser('gpu');

describe('the choice of a tile', () => {
  it('is one that every WebGPU device can run', () => {
    for (const adapter of ['gpu', 'software'] as const) {
      for (const { tile } of candidates(adapter, size({}))) {
        expect(workgroupBytes(tile), nameOf(tile)).toBeLessThanOrEqual(16_384);
        expect(threadsOf(tile), nameOf(tile)).toBeLessThanOrEqual(256);
      }
    }
  });

  it('is a narrow one for few columns and a flat one for few rows', () => {
    expect(widthOf(gpu.choose(size({ columns: 10 })).tile)).toBeLessThanOrEqual(32);
    expect(heightOf(gpu.choose(size({ rows: 10, columns: 4096 })).tile)).toBe(16);
  });

  it('cuts a long inner dimension into parts where the result is small, and nowhere else', () => {
    const weights = gpu.choose({ kind: 'weights', rows: 576, columns: 64, inner: 100_352, phases: 1 });
    expect(weights.splits).toBeGreaterThanOrEqual(16);
    expect(gpu.choose(size({})).splits).toBe(1);
    expect(gpu.choose(size({ inner: 64, rows: 64, columns: 64 })).splits).toBe(1);
  });

  it('keeps the partial sums of a large result within bounds', () => {
    const large = size({ kind: 'weights', rows: 16_384, columns: 4096, inner: 2 ** 22 });
    for (const { splits } of candidates('gpu', large)) expect(splits).toBe(1);
  });

  it('reads straight from memory on software adapters, known by their names', () => {
    const swiftshader = {
      vendor: 'google',
      architecture: 'swiftshader',
      description: 'SwiftShader driver 5.0.0',
    };
    expect(adapterClass(swiftshader)).toBe('software');
    expect(adapterClass({ vendor: 'mesa', architecture: '', description: 'llvmpipe (LLVM 15.0.6)' })).toBe(
      'software',
    );
    expect(adapterClass({ vendor: 'nvidia', architecture: 'hopper', description: '' })).toBe('gpu');
    expect(createTileChooser('software').choose(size({})).tile.memory).toBe('registers');
  });
});

describe('tuning', () => {
  const layer = {
    shape: shapeOf({ size: [8, 8], channels: [16, 32], kernel: [3, 3], padding: [1, 1, 1, 1] }),
    examples: 4,
    products: ['forward', 'weight gradient'],
  } as const;

  it('keeps the fastest of the likeliest tiles for each size, and its choice comes before the estimate', async () => {
    const forward = forwardSize(layer.shape, layer.examples);
    const likeliest = candidates('gpu', forward);
    const slow = likeliest[3]!;
    const wanted = nameOf(slow.tile);
    const timed: string[] = [];
    const timer = {
      compile: () => Promise.resolve(),
      time: ({ plan }: { plan: { calls: readonly { op: { name: string } }[] } }) => {
        timed.push(plan.calls[0]!.op.name);
        const isWanted =
          plan.calls[0]!.op.name.endsWith(wanted) && plan.calls.length === (slow.splits > 1 ? 2 : 1);
        return Promise.resolve(isWanted ? 1 : 2);
      },
    };
    const tuned = await tuneProducts(timer, 'gpu', [layer, layer]);
    // Two sizes, each once, six candidates each.
    expect(timed.length).toBe(12);
    expect(Object.keys(tuned).length).toBe(2);
    expect(tuned[sizeClass(forward)]).toEqual(slow);
    const stored = JSON.parse(JSON.stringify(tuned));
    expect(createTileChooser('gpu', stored).choose(forward)).toEqual(slow);
  });

  it('passes over what the device refuses, which would seem to take no time', async () => {
    const forward = forwardSize(layer.shape, layer.examples);
    const [likeliest, second] = candidates('gpu', forward);
    let asked = 0;
    const timer = {
      compile: () => Promise.reject(new Error('not compiled')),
      time: () => (asked++ === 0 ? Promise.reject(new Error('refused')) : Promise.resolve(asked)),
    };
    const tuned = await tuneProducts(timer, 'gpu', [{ ...layer, products: ['forward'] }]);
    expect(tuned[sizeClass(forward)]).not.toEqual(likeliest);
    expect(tuned[sizeClass(forward)]).toEqual(second);
  });

  it('has a key that tells adapters apart', () => {
    const one = { vendor: 'a', architecture: 'b', device: 'c', description: 'd' };
    expect(tuningKey(one)).not.toBe(tuningKey({ ...one, architecture: 'e' }));
  });
});
