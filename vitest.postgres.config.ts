import { defineConfig } from 'vitest/config';

// `npm run test:postgres`: the suites that need a PostgreSQL server, which their setup starts.
export default defineConfig({
  test: {
    env: { TABGRAD_TEST_LONG: '1' },
    include: ['test/**/*.server.ts'],
    globalSetup: ['test/setup/postgresServer.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
