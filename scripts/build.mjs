// Builds dist/: the Node library and CLI, the Node and Deno workers, and the browser pages.
// `node scripts/build.mjs NAME…` builds only some of them.
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { rolldown } from 'rolldown';
import { build } from 'vite';

const isPackage = (id) => !id.startsWith('.') && !isAbsolute(id);

/** What a worker loads from node_modules: native code, and the socket that it shares with the coordinator. */
const workerPackages = /^(node:|node-datachannel|webgpu$|ws$)/;
/** What the carried bench needs only where it is not carried: the software driver and its Dawn. */
const benchPackages = /^(node:|webgpu$|koffi$|playwright-core|@sparticuz)/;

async function bundle(dir, input, external, platform = 'node') {
  const present = Object.fromEntries(Object.entries(input).filter(([, file]) => existsSync(file)));
  if (Object.keys(present).length === 0) return;
  const bundle = await rolldown({ input: present, platform, external, logLevel: 'warn' });
  // Plain names: a rebuilt file replaces the old one.
  const chunkFileNames = `${Object.keys(input)[0]}-[name].js`;
  await bundle.write({ dir, format: 'esm', sourcemap: true, minify: false, chunkFileNames });
  await bundle.close();
}

// The coordinator's packages stay external. Workers carry theirs, which lets Deno run them with few permissions.
const parts = {
  coordinator: () =>
    bundle(
      'dist/node',
      {
        index: 'coordinator/index.ts',
        cli: 'coordinator/cli/main.ts',
        serveReplica: 'coordinator/serve/replica/serveReplica.ts',
      },
      isPackage,
    ),
  node: () =>
    bundle(
      'dist/node',
      { worker: 'client/runtime/worker.node.ts', ownerThread: 'client/runtime/ownerThread.node.ts' },
      workerPackages,
    ),
  deno: () =>
    bundle(
      'dist/deno',
      { worker: 'client/runtime/worker.deno.ts', ownerThread: 'client/runtime/ownerThread.deno.ts' },
      workerPackages,
    ),
  // What 'tabgrad' is in the bundles of owners' code.
  owner: () => bundle('dist/owner', { tabgrad: 'client/program/ownersEntry.ts' }, [], 'browser'),
  bench: () => bundle('dist/bench', { neural: 'test/bench/neural.bench.ts' }, benchPackages),
  page: () => build({ configFile: 'vite.config.ts', logLevel: 'warn' }),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`Unknown: ${unknown.join()}. There are ${Object.keys(parts).join()}.`);
// The bench is built only where it is asked for.
const usual = Object.keys(parts).filter((name) => name !== 'bench');
await Promise.all((wanted.length > 0 ? wanted : usual).map((name) => parts[name]()));
