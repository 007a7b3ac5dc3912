// `npm start` on a fresh clone with nothing but Node: installs the packages, builds what is missing or older than its
// sources, and runs the main job (examples/flights/start.ts). Options are passed on: npm start -- --rows 200000
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { runChild } from './runChild.mjs';
import { isStale } from './stale.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
try {
  ensureInstalled();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
if (isStale()) {
  console.log('Building (once)…');
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (build.status !== 0) {
    console.error(`${build.stdout}${build.stderr}`);
    console.error('The build failed.');
    process.exit(1);
  }
}
runChild(process.execPath, [
  '--import',
  'tsx',
  '--enable-source-maps',
  'examples/flights/start.ts',
  ...process.argv.slice(2),
]);
