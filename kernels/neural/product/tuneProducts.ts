// Finds the fastest tiles for the products of a net on one adapter, by timing the likeliest. Done once an adapter; the
// caller stores what comes out under `tuningKey` and gives it to createTileChooser. Workers don't: docs/architecture.md
// says why.

import type { ConvolutionShape } from '../convolution.ts';
import type { AdapterClass, ProductChoice, ProductSize, TunedChoices } from './chooseTile.ts';
import { candidates, sizeClass } from './chooseTile.ts';
import type { PlanTimer } from './planTimer.ts';
import {
  createProductConvolutions,
  forwardSize,
  inputGradientSize,
  weightGradientSize,
} from './productConvolutions.ts';
import type { ProductName } from './timedProduct.ts';
import { timedProduct } from './timedProduct.ts';

/** Raised when the kernels change so that old measurements mean nothing. */
const TUNING_VERSION = 1;
/** Candidates timed for a size, the likeliest by the estimate. */
const TIMED = 6;

export interface TunedLayer {
  readonly shape: ConvolutionShape;
  /** Of a microbatch. */
  readonly examples: number;
  readonly products: readonly ProductName[];
}

/** What stored choices are valid for. */
export function tuningKey(
  adapter: Pick<GPUAdapterInfo, 'architecture' | 'description' | 'device' | 'vendor'>,
): string {
  const { vendor, architecture, device, description } = adapter;
  return ['products', TUNING_VERSION, vendor, architecture, device, description].join('|');
}

const sizeOf: Readonly<Record<ProductName, (shape: ConvolutionShape, examples: number) => ProductSize>> = {
  forward: forwardSize,
  'input gradient': inputGradientSize,
  'weight gradient': weightGradientSize,
};

/** Choices for each size class among the layers' products, the first layer of a class standing for it. */
export async function tuneProducts(
  timer: Pick<PlanTimer, 'time'>,
  adapter: AdapterClass,
  layers: readonly TunedLayer[],
): Promise<TunedChoices> {
  const tuned: Record<string, ProductChoice> = {};
  for (const { shape, examples, products } of layers) {
    for (const product of products) {
      const size = sizeOf[product](shape, examples);
      const name = sizeClass(size);
      if (tuned[name] !== undefined) continue;
      let best = Infinity;
      for (const choice of candidates(adapter, size).slice(0, TIMED)) {
        const kernels = createProductConvolutions({ choose: () => choice });
        const seconds = await timer.time(timedProduct(kernels, shape, product, examples).timed);
        if (seconds >= best) continue;
        best = seconds;
        tuned[name] = choice;
      }
    }
  }
  return tuned;
}
