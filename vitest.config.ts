import { defineConfig } from 'vitest/config';

/**
 * Functions of values and state machines on manual clocks: their suites change nothing that another one sees, so that one process runs
 * them all and loads the code once. All other suites have a process each.
 */
const pure = [
  'test/client/control',
  'test/client/gbdt',
  'test/client/neural/run',
  'test/client/page/owner',
  'test/client/page/words',
  'test/client/session',
  'test/coordinator/core/programs',
  'test/coordinator/core/trust',
  'test/coordinator/train/neural',
  'test/client/neural/codec',
  'test/client/page/design',
  'test/client/collective',
  'test/coordinator/bounds',
  'test/coordinator/core/pool',
  'test/coordinator/core/run',
  'test/coordinator/core/serving',
  'test/coordinator/core/signalling',
  'test/coordinator/data/codec',
  'test/coordinator/http',
  'test/coordinator/progress',
  'test/coordinator/schema',
  'test/kernels/fixed',
  'test/shared/columns',
  'test/shared/gbdt',
  'test/shared/neural/model',
  'test/shared/neural/run',
  'test/shared/text',
  'test/shared/wire',
].map((folder) => `${folder}/**/*.test.ts`);

/** Whole in `npm run test:long` alone. Liars are caught in the gate too: in simulation/strangers, endToEnd/lyingWorker and lyingTab. */
const long = ['test/endToEnd/strangers.test.ts'];

// Two files at a time: suites start browsers, GPUs and process groups, and wait for them more than they compute. More would
// compete for two cores.
const limits = { maxWorkers: 2, testTimeout: 180_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    ...limits,
    // Once for both projects, as they do not extend this.
    globalSetup: ['test/setup/buildBundles.ts'],
    projects: [
      { test: { ...limits, name: 'apart', include: ['test/**/*.test.ts'], exclude: [...pure, ...long] } },
      { test: { ...limits, name: 'together', include: pure, isolate: false } },
    ],
  },
});
