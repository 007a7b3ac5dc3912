// Builds dist/: the Node library and CLI, the Node and Deno workers, and the browser pages.
// `node scripts/build.mjs NAME…` builds only some of them.
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { rolldown } from 'rolldown';
import { build } from 'vite';

const isPackage = (id) => !id.startsWith('.') && !isAbsolute(id);

/** Packages stay external, so that native ones load from node_modules. */
async function bundle(dir, input, external) {
  const present = Object.fromEntries(Object.entries(input).filter(([, file]) => existsSync(file)));
  if (Object.keys(present).length === 0) return;
  const bundle = await rolldown({ input: present, platform: 'node', external, logLevel: 'warn' });
  await bundle.write({ dir, format: 'esm', sourcemap: true, minify: false });
  await bundle.close();
}

// The coordinator and the worker share no room, so they share no chunk either.
const parts = {
  coordinator: () =>
    bundle('dist/node', { index: 'coordinator/index.ts', cli: 'coordinator/cli/main.ts' }, isPackage),
  node: () => bundle('dist/node', { worker: 'client/runtime/worker.node.ts' }, isPackage),
  deno: () => bundle('dist/deno', { worker: 'client/runtime/worker.deno.ts' }, isPackage),
  page: () => build({ configFile: 'vite.config.ts', logLevel: 'warn' }),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`Unknown: ${unknown}. There are ${Object.keys(parts)}.`);
await Promise.all((wanted.length > 0 ? wanted : Object.keys(parts)).map((name) => parts[name]()));
