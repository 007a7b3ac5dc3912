import { defineConfig } from 'vite';

// The pages that the coordinator serves: the volunteer's (/join) and, later, the dashboard.
export default defineConfig({
  root: 'client/page',
  base: './',
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: {
      input: { join: 'client/page/join.html' },
      // Advice about Vite's own plugins, given whenever the machine is busy.
      checks: { pluginTimings: false },
    },
  },
  worker: { format: 'es', rolldownOptions: { checks: { pluginTimings: false } } },
});
