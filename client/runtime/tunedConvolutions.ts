// Convolution kernels with the tiles that are fastest on this worker's adapter: those that an earlier run found and the
// worker's cache has kept, and for what is not known yet the fastest of those timed now.

import type { ConvolutionKernels } from '../../kernels/neural/convolution.ts';
import {
  adapterClass,
  createTileChooser,
  isChoice,
  type AdapterClass,
  type ProductChoice,
  type TunedChoices,
} from '../../kernels/neural/product/chooseTile.ts';
import { PlanTimer } from '../../kernels/neural/product/planTimer.ts';
import { createProductConvolutions } from '../../kernels/neural/product/productConvolutions.ts';
import { tuneProducts, tuningKey } from '../../kernels/neural/product/tuneProducts.ts';
import { limitsOfDevice } from '../../shared/neural/compile/deviceLimits.ts';
import { productsOf } from '../../shared/neural/compile/productsOf.ts';
import type { EngineSpec } from '../../shared/neural/trainingEngine.ts';
import type { BlobCache } from '../blobs/blobCache.ts';
import { sha256Hex } from '../blobs/sha256Hex.ts';

/** What is not timed then is left to the estimate. Peers that have nothing to time wait half a minute for a link. */
export const TUNING_BUDGET_MS = 10_000;

export interface TuningPlace {
  /** Where choices are kept between runs. */
  readonly cache: BlobCache;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** @param adapter what the device's adapter says of itself. @throws NetInvalidError, NetTooLargeError */
export async function tunedConvolutions(
  device: GPUDevice,
  adapter: GPUAdapterInfo,
  spec: EngineSpec,
  { cache, now, log }: TuningPlace,
): Promise<ConvolutionKernels> {
  const kind = adapterClass(adapter);
  const layers = productsOf(spec, limitsOfDevice(device), kind);
  const name = await sha256Hex(new TextEncoder().encode(tuningKey(adapter)));
  const known = readChoices(await cache.get(name), kind);
  const timer = new PlanTimer(device, {
    secondsWanted: 0.02,
    measurements: 3,
    now,
  });
  const startedAt = now();
  let someAreLeft = false;
  // Asked only before a size that is to be timed.
  const isOver = (): boolean => (someAreLeft = now() - startedAt >= TUNING_BUDGET_MS);
  const tuned = await tuneProducts(timer, kind, layers, { known, isOver });
  const found = Object.keys(tuned).length - Object.keys(known).length;
  if (found > 0) {
    const seconds = ((now() - startedAt) / 1000).toFixed(1);
    log(
      `Timed tiles for ${found} sizes of products in ${seconds} s${
        someAreLeft ? '; others are estimated' : ''
      }.`,
    );
    await cache.put(name, new TextEncoder().encode(JSON.stringify(tuned)));
  }
  return createProductConvolutions(createTileChooser(kind, tuned));
}

/** What is damaged, of another version or of another adapter's kind is as good as nothing. */
function readChoices(bytes: Uint8Array | undefined, kind: AdapterClass): TunedChoices {
  let stored: unknown;
  try {
    stored = bytes && JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    stored = undefined;
  }
  if (typeof stored !== 'object' || stored === null) return {};
  const choices = Object.entries(stored).filter((entry): entry is [string, ProductChoice] =>
    isChoice(kind, entry[1]),
  );
  return Object.fromEntries(choices);
}
