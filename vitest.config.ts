import { defineConfig } from 'vitest/config';

// Two files at a time: suites start browsers, GPUs and process groups, and wait for them more than they compute. More would
// compete for two cores.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/buildBundles.ts'],
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
