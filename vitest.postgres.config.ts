import { defineConfig } from 'vitest/config';

// `npm run test:postgres`: the suites that need a PostgreSQL server, named by TABGRAD_TEST_DATABASE_URL.
export default defineConfig({ test: { include: ['test/**/*.server.ts'] } });
