import { defineConfig } from 'vitest/config';

// `npm run test:long`: the suites of which `npm test` runs a part, whole (test/setup/longRun.ts).
export default defineConfig({
  test: {
    include: [
      'test/client/page/scenes/scenes.test.ts',
      'test/simulation/runSimulation.test.ts',
      'test/simulation/strangers/strangers.test.ts',
      'test/endToEnd/strangers.test.ts',
      'test/endToEnd/lyingNetWorker.test.ts',
      'test/coordinator/core/store/killedWriter.test.ts',
      'test/coordinator/serve/layersModel.test.ts',
      'test/coordinator/serve/poolLayers.test.ts',
      'test/kernels/neural/ops/ops.*.test.ts',
      'test/kernels/neural/product/productConvolutions.test.ts',
    ],
    globalSetup: ['test/setup/buildBundles.ts'],
    env: { TABGRAD_TEST_LONG: '1' },
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
