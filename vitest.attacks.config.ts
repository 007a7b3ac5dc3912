import { defineConfig } from 'vitest/config';
import { TableReporter } from './test/attacks/tableReporter.ts';

// `npm run test:attacks`: floods and memory attacks against processes of their own, one at a time since they are measured.
export default defineConfig({
  test: {
    include: ['test/attacks/**/*.attack.ts'],
    globalSetup: ['test/setup/buildBundles.ts'],
    fileParallelism: false,
    reporters: ['default', new TableReporter()],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
