import { defineConfig } from 'vitest/config';

// Files run one after another: suites start browsers, GPUs and process groups that would compete for two cores.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/buildBundles.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
