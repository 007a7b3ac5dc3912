// The matrix products of a net, as tuning wants them: what the compiler asks of convolution kernels, written down.

import type { ConvolutionContext, ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import type { AdapterClass } from '../../../kernels/neural/product/chooseTile.ts';
import { createTileChooser } from '../../../kernels/neural/product/chooseTile.ts';
import { createProductConvolutions } from '../../../kernels/neural/product/productConvolutions.ts';
import type { ProductName } from '../../../kernels/neural/product/timedProduct.ts';
import type { TunedLayer } from '../../../kernels/neural/product/tuneProducts.ts';
import type { EngineSpec } from '../trainingEngine.ts';
import { compileNet } from './compileNet.ts';
import type { DeviceLimits } from './deviceLimits.ts';

/** @throws what compileNet throws. */
export function productsOf(spec: EngineSpec, limits: DeviceLimits, adapter: AdapterClass): TunedLayer[] {
  const kernels = createProductConvolutions(createTileChooser(adapter));
  const layers: TunedLayer[] = [];
  const note = ({ shape, maxExamples }: ConvolutionContext, product: ProductName): void => {
    layers.push({ shape, examples: maxExamples, products: [product] });
  };
  const noting: ConvolutionKernels = {
    forward: (context, ...rest) => {
      note(context, 'forward');
      return kernels.forward(context, ...rest);
    },
    inputGradient: (context, ...rest) => {
      note(context, 'input gradient');
      return kernels.inputGradient(context, ...rest);
    },
    weightGradient: (context, ...rest) => {
      note(context, 'weight gradient');
      return kernels.weightGradient(context, ...rest);
    },
  };
  compileNet(spec, { limits, adapter, convolutions: noting });
  return layers;
}
