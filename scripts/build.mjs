// Builds dist/: the Node bundles (library, CLI, Node worker), the Deno worker and the browser pages.
// Packages stay external in Node and Deno, so native ones load from node_modules; pages are bundled whole.
import { existsSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { build } from 'vite';

const entries = {
  node: {
    index: 'coordinator/index.ts',
    cli: 'coordinator/cli/main.ts',
    worker: 'client/runtime/worker.node.ts',
  },
  deno: { worker: 'client/runtime/worker.deno.ts' },
};

for (const [platform, input] of Object.entries(entries)) {
  const present = Object.fromEntries(Object.entries(input).filter(([, file]) => existsSync(file)));
  const bundle = await rolldown({
    input: present,
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    logLevel: 'warn',
  });
  await bundle.write({ dir: `dist/${platform}`, format: 'esm', sourcemap: true, minify: false });
  await bundle.close();
}
if (existsSync('client/page')) await build({ configFile: 'vite.config.ts', logLevel: 'warn' });
