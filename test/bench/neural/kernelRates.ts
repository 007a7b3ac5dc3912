// GFLOP/s of the three products of each layer: ours, and those of other libraries on the same adapter in the same run.

import type { TileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import type { PlanTimer } from '../../../kernels/neural/product/planTimer.ts';
import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import type { ProductName } from '../../../kernels/neural/product/timedProduct.ts';
import { timedProduct } from '../../../kernels/neural/product/timedProduct.ts';
import type { AdapterPeaks } from './adapterPeaks.ts';
import type { BenchLayer } from './layerShapes.ts';
import type { PeerRates } from './tfjsRates.ts';

const productNames: readonly ProductName[] = ['forward', 'input gradient', 'weight gradient'];

export interface KernelRate {
  readonly layer: string;
  readonly product: ProductName;
  readonly flop: number;
  readonly kernel: string;
  readonly milliseconds: number;
  readonly gflopPerSecond: number;
  readonly shareOfPeak: number;
  /** Milliseconds of the others, by name. */
  readonly others: Readonly<Record<string, number>>;
}

export interface RateContext {
  readonly timer: PlanTimer;
  readonly chooser: TileChooser;
  readonly peaks: AdapterPeaks;
  readonly batch: number;
  readonly others: Readonly<Record<string, PeerRates>>;
}

/** Yields as it measures, so that a run cut short has shown something. */
export async function* kernelRates(
  layers: readonly BenchLayer[],
  { timer, chooser, peaks, batch, others }: RateContext,
): AsyncGenerator<KernelRate> {
  const kernels = createProductConvolutions(chooser);
  for (const layer of layers) {
    for (const product of productNames) {
      if (product === 'input gradient' && layer.isFirst === true) continue;
      const { timed, flop } = timedProduct(kernels, layer.shape, product, layer.examples ?? batch);
      const seconds = await timer.time(timed);
      const peers: Record<string, number> = {};
      for (const [name, peer] of Object.entries(others)) {
        const peerSeconds = await peer.time(layer, product, batch);
        if (peerSeconds !== undefined) peers[name] = 1000 * peerSeconds;
      }
      yield {
        layer: layer.name,
        product,
        flop,
        kernel: timed.plan.calls.map(({ op }) => op.name).join(' + '),
        milliseconds: 1000 * seconds,
        gflopPerSecond: flop / seconds / 1e9,
        shareOfPeak: flop / seconds / peaks.flopPerSecond,
        others: peers,
      };
    }
  }
}
