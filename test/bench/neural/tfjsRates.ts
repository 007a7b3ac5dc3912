// The same layers' products by the tfjs WebGPU backend, on a device of its own on the same adapter.

import type { Rank, Tensor } from '@tensorflow/tfjs';
import type { ProductName } from '../../../kernels/neural/product/timedProduct.ts';
import type { BenchLayer } from './layerShapes.ts';

export interface PeerRates {
  /** Seconds of one product; undefined where the library can't express it. */
  readonly time: (layer: BenchLayer, product: ProductName, batch: number) => Promise<number | undefined>;
}

/** Best of some timings of `work`, whose result is waited for by reading one number of it. */
async function bestSeconds(work: () => Promise<unknown>, secondsWanted: number): Promise<number> {
  await work();
  let best = Infinity;
  let spent = 0;
  for (let i = 0; i < 5 && spent < secondsWanted; i += 1) {
    const start = performance.now();
    await work();
    const seconds = (performance.now() - start) / 1000;
    spent += seconds;
    best = Math.min(best, seconds);
  }
  return best;
}

/** `navigator.gpu` must be there already: tfjs looks for it when it is imported. */
export async function openTfjsRates(options: {
  readonly repeats: number;
  readonly secondsWanted: number;
}): Promise<PeerRates> {
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs finds no WebGPU here.');
  await tf.ready();
  return {
    async time({ shape, examples, name }, product, batch) {
      const rows = examples ?? batch;
      const { inputHeight, inputWidth, inputChannels, outputHeight, outputWidth, filters } = shape;
      const { kernelHeight, kernelWidth, strideHeight, strideWidth } = shape;
      const isSquare = name.startsWith('matmul');
      const image = tf.randomUniform<Rank.R4>([rows, inputHeight, inputWidth, inputChannels]);
      const kernel = tf.randomUniform<Rank.R4>([kernelHeight, kernelWidth, inputChannels, filters]);
      const gradient = tf.randomUniform<Rank.R4>([rows, outputHeight, outputWidth, filters]);
      const matrices = {
        image: image.reshape([rows, -1]),
        kernel: kernel.reshape([-1, filters]),
        gradient: gradient.reshape([rows, -1]),
      };
      const attributes = {
        strides: [strideHeight, strideWidth],
        pad: 'same',
        dataFormat: 'NHWC',
      };
      const run: () => Tensor | Tensor[] = {
        forward: () =>
          isSquare
            ? tf.matMul(matrices.image, matrices.kernel)
            : tf.conv2d(image, kernel, [strideHeight, strideWidth], 'same'),
        'input gradient': () =>
          isSquare
            ? tf.matMul(matrices.gradient, matrices.kernel, false, true)
            : tf
                .engine()
                .runKernel(
                  'Conv2DBackpropInput',
                  { dy: gradient, filter: kernel },
                  { ...attributes, inputShape: image.shape },
                ),
        'weight gradient': () =>
          isSquare
            ? tf.matMul(matrices.image, matrices.gradient, true, false)
            : tf
                .engine()
                .runKernel(
                  'Conv2DBackpropFilter',
                  { x: image, dy: gradient },
                  { ...attributes, filterShape: kernel.shape },
                ),
      }[product];
      try {
        const seconds = await bestSeconds(async () => {
          let result = [run()].flat();
          for (let i = 1; i < options.repeats; i += 1) {
            tf.dispose(result);
            result = [run()].flat();
          }
          const one = tf.tidy(() => result[0]!.flatten().slice([0], [1]));
          await one.data();
          tf.dispose([one, result]);
        }, options.secondsWanted);
        return seconds / options.repeats;
      } finally {
        tf.dispose([image, kernel, gradient, ...Object.values(matrices)]);
      }
    },
  };
}
