import { defineConfig } from 'vite';

// The pages that the coordinator serves: the volunteer's (/join) and the owner's dashboard (/).
export default defineConfig({
  root: 'client/page',
  base: './',
  build: {
    outDir: '../../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: {
      input: {
        join: 'client/page/join.html',
        dashboard: 'client/page/dashboard.html',
        serviceWorker: 'client/page/join/serviceWorker.browser.ts',
      },
      output: {
        // Browsers look for newer ones at the same address, and it answers for the folder that it is in.
        entryFileNames: ({ name }) =>
          name === 'serviceWorker' ? 'serviceWorker.js' : 'assets/[name]-[hash].js',
      },
      // Advice about Vite's own plugins, given whenever the machine is busy.
      checks: { pluginTimings: false },
    },
  },
  worker: { format: 'es', rolldownOptions: { checks: { pluginTimings: false } } },
});
