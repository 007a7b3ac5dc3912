// Square matrix products by jax-js, where it finds the GPU (it has no support for Node of its own, but needs no more than
// navigator.gpu). Its convolutions aren't timed: it names them as its weak spot itself.

import type { PeerRates } from './tfjsRates.ts';

/** Answers with the reason where jax-js can't use the GPU here. */
export async function openJaxRates(options: {
  readonly repeats: number;
}): Promise<PeerRates | { missing: string }> {
  const { blockUntilReady, defaultDevice, init, numpy: np } = await import('@jax-js/jax');
  const devices = await init();
  if (!devices.includes('webgpu')) return { missing: `it offers ${devices.join(', ')}` };
  defaultDevice('webgpu');
  return {
    async time({ name, examples }, product) {
      if (!name.startsWith('matmul') || product !== 'forward' || examples === undefined) return undefined;
      const a = np.ones([examples, examples]);
      const b = np.ones([examples, examples]);
      const run = async (times: number): Promise<number> => {
        const start = performance.now();
        for (let i = 0; i < times; i += 1) {
          const product2 = np.matmul(a.ref, b.ref);
          await blockUntilReady(product2);
          product2.dispose();
        }
        return (performance.now() - start) / 1000;
      };
      await run(1);
      const seconds = (await run(options.repeats)) / options.repeats;
      a.dispose();
      b.dispose();
      return seconds;
    },
  };
}
