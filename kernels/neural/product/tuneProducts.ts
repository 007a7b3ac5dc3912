// Finds the fastest tiles for the products of a net on one adapter, by timing the likeliest. Done once an adapter; the
// caller stores what comes out under `tuningKey` and gives it to createTileChooser.

import type { ConvolutionShape } from '../convolution.ts';
import { convolutionFlop } from '../convolutionShape.ts';
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
/** Candidates timed for a size, the likeliest by the estimate. Software adapters compile each for a second. */
const TIMED: Readonly<Record<AdapterClass, number>> = { gpu: 6, software: 3 };

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

export interface TuningOptions {
  /** What was found before; it is not timed again. */
  readonly known?: TunedChoices;
  /** Asked before each size: whether the rest is left to the estimate. */
  readonly isOver?: () => boolean;
}

/** Most of the work first, for there may not be time for all. */
function workOf({ shape, examples }: TunedLayer): number {
  return convolutionFlop(shape, examples).flop;
}

/** The known choices and those for each size class among the layers' products, the first layer of a class standing for it. */
export async function tuneProducts(
  timer: Pick<PlanTimer, 'compile' | 'time'>,
  adapter: AdapterClass,
  layers: readonly TunedLayer[],
  { known = {}, isOver = () => false }: TuningOptions = {},
): Promise<TunedChoices> {
  const tuned: Record<string, ProductChoice> = { ...known };
  for (const { shape, examples, products } of layers.toSorted((a, b) => workOf(b) - workOf(a))) {
    for (const product of products) {
      const size = sizeOf[product](shape, examples);
      const name = sizeClass(size);
      if (tuned[name] !== undefined) continue;
      if (isOver()) return tuned;
      const likeliest = candidates(adapter, size)
        .slice(0, TIMED[adapter])
        .map((choice) => {
          const kernels = createProductConvolutions({ choose: () => choice });
          return { choice, timed: timedProduct(kernels, shape, product, examples).timed };
        });
      // All at once: compiling takes most of the time.
      await Promise.allSettled(likeliest.map(({ timed }) => timer.compile(timed.plan)));
      let best = Infinity;
      for (const { choice, timed } of likeliest) {
        // What the device refuses, in compiling too, is no choice.
        const seconds = await timer.time(timed).catch(() => Infinity);
        if (seconds >= best) continue;
        best = seconds;
        tuned[name] = choice;
      }
    }
  }
  return tuned;
}
