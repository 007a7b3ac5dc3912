// Completes package-lock.json: npm leaves out the binaries of platforms that its registry does not offer (a mirror often
// has one platform's alone), and `npm ci` then refuses the file everywhere. Run after adding or updating a package:
//   npm install NAME && node scripts/completeLock.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const systems = ['darwin', 'win32', 'linux', 'android', 'freebsd', 'openharmony'];
const processors = ['wasm32', 'arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64'];

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const packages = lock.packages;
for (const entry of Object.values(packages)) delete entry.resolved;

/** Where Node looks for `name` from `path`, nearest first. */
function places(path, name) {
  const folders = [path];
  for (let at = path; at !== ''; folders.push(at))
    at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')));
  return folders.map((folder) => `${folder === '' ? '' : `${folder}/`}node_modules/${name}`);
}

/** What a package of binaries runs on, by the customs of naming such packages. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu =
    processors.find((processor) => words.includes(processor)) ?? (words.includes('arm') ? 'arm' : undefined);
  if (cpu === undefined) throw new Error(`${name}: its name does not say which processor it is for`);
  const musl = words.some((word) => word.startsWith('musl'));
  const glibc = words.some((word) => ['gnu', 'glibc', 'gnueabihf'].includes(word));
  const libc = os === 'linux' && (musl || glibc) ? { libc: [musl ? 'musl' : 'glibc'] } : {};
  return { cpu: [cpu], ...(os && { os: [os] }), ...libc };
}

let added = 0;
const byDepth = Object.keys(packages).sort(
  (a, b) => a.split('node_modules/').length - b.split('node_modules/').length,
);
for (const path of byDepth) {
  const { optionalDependencies = {}, dev } = packages[path];
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const candidates = places(path, name);
    const found = candidates.findIndex((place) => packages[place]);
    const isExact = /^\d+\.\d+\.\d+/.test(version);
    if (!isExact || (found >= 0 && packages[candidates[found]].version === version)) continue;
    // As near the root as possible without hiding another version from those who use it.
    const place = found < 0 ? candidates.at(-1) : candidates[found - 1];
    if (place === undefined)
      throw new Error(`${path} wants ${name}@${version}, but another version is in its place`);
    packages[place] = { version, ...(dev && { dev: true }), optional: true, ...platformOf(name) };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${FILE}: ${added} packages of other platforms added`);
