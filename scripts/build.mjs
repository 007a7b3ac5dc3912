// Builds dist/: the Node library and CLI, the Node and Deno workers, and the browser pages.
// `node scripts/build.mjs NAME…` builds only some of them.
import { readFileSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { build } from 'vite';
import { BundledPackages } from './bundledPackages.mjs';
import { buildWasm } from './wasm.mjs';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** What package.json names as a dependency is loaded from node_modules; all else is carried in the bundles. */
const coordinatorPackages = Object.keys(dependencies);
/** Native code, and the socket that they share with the coordinator. Carrying the rest lets Deno run with few permissions. */
const workerPackages = ['node-datachannel', 'webgpu', 'ws'];
/** What the carried bench needs only where it is not carried: the software driver and its Dawn. */
const benchPackages = ['webgpu', 'koffi', 'playwright-core', '@sparticuz/chromium'];
/** Carried packages ask for these, and do without them. */
const optionalPackages = ['pg-native', 'bufferutil', 'utf-8-validate'];

/** tfjs is carried once, for the coordinator and both kinds of workers; they load it when a run needs it. */
const tfjsBundles = {
  '@tensorflow/tfjs': '../vendor/tfjs.js',
  '@tensorflow/tfjs-backend-webgpu': '../vendor/tfjsWebgpu.js',
};
const carriedTfjs = {
  name: 'carried-tfjs',
  resolveId: (id) => (Object.hasOwn(tfjsBundles, id) ? { id: tfjsBundles[id], external: true } : undefined),
};

const carried = new BundledPackages();

async function bundle(dir, input, packages, options = {}) {
  const external = [...packages, ...optionalPackages].map((name) => new RegExp(`^${name}(/|$)`));
  const made = await rolldown({
    input,
    external,
    platform: 'node',
    plugins: [carriedTfjs, carried.plugin()],
    logLevel: 'warn',
    ...options,
  });
  // Plain names: a rebuilt file replaces the old one.
  const chunkFileNames = `${Object.keys(input)[0]}-[name].js`;
  await made.write({ dir, format: 'esm', sourcemap: true, minify: false, chunkFileNames });
  await made.close();
}

const parts = {
  coordinator: () =>
    bundle(
      'dist/node',
      {
        index: 'coordinator/index.ts',
        cli: 'coordinator/main.ts',
        serveReplica: 'coordinator/serve/replica/serveReplica.ts',
        acceptor: 'coordinator/serve/acceptors/acceptor.ts',
        replay: 'coordinator/core/trust/replayProgram.ts',
        tfjsThread: 'coordinator/checkpoint/tfjsThread/tfjsThread.ts',
      },
      coordinatorPackages,
    ),
  node: () =>
    bundle(
      'dist/node',
      {
        worker: 'client/runtime/worker.node.ts',
        ownerThread: 'client/runtime/ownerThread.node.ts',
        jobThread: 'client/runtime/jobThread.node.ts',
      },
      workerPackages,
    ),
  deno: () =>
    bundle(
      'dist/deno',
      {
        worker: 'client/runtime/worker.deno.ts',
        ownerThread: 'client/runtime/ownerThread.deno.ts',
        jobThread: 'client/runtime/jobThread.web.ts',
      },
      workerPackages,
    ),
  vendor: () =>
    bundle(
      'dist/vendor',
      { tfjs: '@tensorflow/tfjs', tfjsWebgpu: '@tensorflow/tfjs-backend-webgpu' },
      [],
      // Its modules rather than the bundles for Node: a third of the size, and loaded in a quarter of the time.
      { plugins: [carried.plugin()], resolve: { mainFields: ['module', 'main'] } },
    ),
  // What 'tabgrad' is in the bundles of owners' code.
  owner: () =>
    bundle('dist/owner', { tabgrad: 'client/program/ownersEntry.ts' }, [], { platform: 'browser' }),
  bench: () => bundle('dist/bench', { neural: 'test/bench/neural.bench.ts' }, benchPackages, { plugins: [] }),
  page: () =>
    build({
      configFile: 'vite.config.ts',
      logLevel: 'warn',
      plugins: [carried.plugin()],
      worker: { plugins: () => [carried.plugin()] },
    }),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`Unknown: ${unknown.join()}. There are ${Object.keys(parts).join()}.`);
// The bench is built only where it is asked for.
const usual = Object.keys(parts).filter((name) => name !== 'bench');
await buildWasm();
await Promise.all((wanted.length > 0 ? wanted : usual).map((name) => parts[name]()));
if (wanted.length === 0) carried.writeLicences('dist/THIRD-PARTY-LICENSES.txt');
