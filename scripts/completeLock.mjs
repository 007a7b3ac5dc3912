// Completes package-lock.json: the binaries of every platform, and the hash of every package. npm leaves out what its registry
// does not offer (a mirror often has one platform's binaries alone), and `npm ci` then refuses the file elsewhere, or takes
// packages unchecked. Run after adding or updating a package, with a registry that offers all platforms:
//   npm install NAME && node scripts/completeLock.mjs
// `node scripts/completeLock.mjs --check` changes nothing, and fails where something is missing.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const before = readFileSync(FILE, 'utf8');
const isCheck = process.argv.includes('--check');
if (!isCheck) complete();

const { packages } = JSON.parse(readFileSync(FILE, 'utf8'));
const problems = problemsOf(packages);
if (problems.length === 0) {
  console.log(`${FILE}: ${Object.keys(packages).length - 1} packages, each with its hash`);
} else {
  if (!isCheck) writeFileSync(FILE, before);
  console.error(`${FILE} is not complete:\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
}

function complete() {
  const lock = JSON.parse(before);
  for (const [path, entry] of Object.entries(lock.packages)) {
    // Each user takes packages from the registry of their own settings.
    delete entry.resolved;
    // npm asks about what the file lacks, and does not add to what it has.
    if (path !== '' && entry.integrity === undefined) delete lock.packages[path];
  }
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  const npm = spawnSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status === 0) return;
  writeFileSync(FILE, before);
  throw new Error(`npm ended with code ${npm.status}; ${FILE} is as it was`);
}

function problemsOf(entries) {
  const found = [];
  const folder = 'node_modules/';
  const versions = new Set(
    Object.entries(entries).map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf(folder) + folder.length)}@${version}`,
    ),
  );
  for (const [path, { integrity = '', resolved, optionalDependencies = {} }] of Object.entries(entries)) {
    if (path !== '' && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))
      found.push(`${path}: no SHA-512 hash`);
    if (resolved !== undefined) found.push(`${path}: names a registry`);
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const isExact = /^\d+\.\d+\.\d+/.test(version);
      if (isExact && !versions.has(`${name}@${version}`)) found.push(`${path}: lacks ${name}@${version}`);
    }
  }
  return found;
}
