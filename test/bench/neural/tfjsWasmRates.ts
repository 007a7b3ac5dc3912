// tfjs on its WebAssembly backend with SIMD, on one thread: products, and training steps where it has the kernels for them.

import type * as tfjs from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { seededNumbers } from '../../kernels/seededNumbers.ts';
import type { Contender } from './contender.ts';
import { drawnBatch, momentumStep, type StepNet } from './stepRates.ts';

async function openTfjsWasm(): Promise<typeof tfjs> {
  const tf = await import('@tensorflow/tfjs');
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  if (tf.getBackend() === 'wasm') return tf;
  setThreadsCount(1);
  const folder = dirname(
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'),
  );
  setWasmPaths(`${folder}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs does not start its WebAssembly backend.');
  return tf;
}

export async function tfjsWasmProduct(size: number): Promise<Contender> {
  const tf = await openTfjsWasm();
  const random = seededNumbers(1);
  const [a, b] = [0, 1].map(() =>
    tf.tensor2d(
      Float32Array.from({ length: size ** 2 }, () => random.next() - 0.5),
      [size, size],
    ),
  );
  return {
    once: async () => {
      const product = tf.matMul(a!, b!);
      await product.data();
      product.dispose();
    },
    close: () => Promise.resolve(tf.dispose([a!, b!])),
  };
}

export async function tfjsWasmStep(
  net: StepNet,
  examples: number,
): Promise<Contender | { readonly missing: string }> {
  const tf = await openTfjsWasm();
  const { once, close } = await momentumStep(tf, net, drawnBatch(examples));
  try {
    await once();
  } catch (error) {
    return { missing: String(error).split('\n')[0]!.slice(0, 120) };
  }
  return { once, close: () => Promise.resolve(close()) };
}
