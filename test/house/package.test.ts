// What users install: everything that it needs, nothing of the tests, and not too much.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { blocks, bytesOnDisk, installedWith, readManifest } from './installedPackage.ts';

const manifest = readManifest('.');
const MIB = 2 ** 20;

interface PackedFile {
  readonly path: string;
  readonly size: number;
}

let files: readonly PackedFile[];
let paths: readonly string[];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    timeout: 50_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  const [packed] = JSON.parse(stdout) as [{ files: PackedFile[] }];
  files = packed.files;
  paths = files.map(({ path }) => path);
});

/** Packages that a bundle loads, in the words that the bundler writes; comments of carried packages have other quotes. */
function packagesOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const loaded = text.matchAll(
    /(?:^(?:import|export)\s[^;'"]*?from |^import |\bimport\(|\b__require\(|createRequire\(import\.meta\.url\)\.resolve\()"([^"\s]+)"/gm,
  );
  return namesOf([...loaded].map(([, specifier]) => specifier!));
}

/** Packages that the sources import, types aside. */
function importedPackages(): Set<string> {
  const texts = ['kernels', 'shared', 'client', 'coordinator'].flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(`${room}/${path}`, 'utf8')),
  );
  const imports = texts.flatMap((text) => [
    ...text.matchAll(/(?:^(?:import|export) (?!type)[^;'"]*?from |\bimport\()'([^']+)'/gm),
  ]);
  return new Set(namesOf(imports.map(([, specifier]) => specifier!)));
}

function namesOf(specifiers: readonly string[]): string[] {
  return specifiers
    .filter((specifier) => !/^(\.|\/|node:|data:)/.test(specifier) && !builtinModules.includes(specifier))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

const bundles = (): string[] =>
  ['dist/node', 'dist/deno', 'dist/vendor', 'dist/owner'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .map((name) => `${folder}/${name}`),
  );

describe('the package', () => {
  it('has its command, its entry, workers, threads and pages', () => {
    for (const path of [
      ...Object.values(manifest.bin),
      manifest.exports['.']!.default,
      'dist/node/worker.js',
      'dist/node/ownerThread.js',
      'dist/node/jobThread.js',
      'dist/deno/jobThread.js',
      'dist/node/replay.js',
      'dist/node/serveReplica.js',
      'dist/node/tfjsThread.js',
      'dist/deno/worker.js',
      'dist/vendor/tfjs.js',
      'dist/vendor/tfjsWebgpu.js',
      'dist/owner/tabgrad.js',
      'dist/page/join.html',
    ]) {
      expect(paths).toContain(path.replace(/^\.\//, ''));
    }
    for (const path of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md']) expect(paths).toContain(path);
  });

  it('has no tests, sources or source maps', () => {
    const surplus = paths.filter(
      (path) => /(^|\/)tests?\/|\.test\.|\.map$/.test(path) || /^(?!dist\/).*\.ts$/.test(path),
    );
    expect(surplus).toEqual([]);
  });

  it('depends on every package that its bundles load', () => {
    const loaded = new Set(bundles().flatMap((file) => packagesOf(file)));
    expect([...loaded]).toEqual(expect.arrayContaining(['ws', 'zod', 'libsql', 'jiti', 'node-datachannel']));
    const missing = [...loaded].filter((name) => !(name in manifest.dependencies!));
    // Those that users may add, and those that carried packages try for and do without.
    const optional = ['@sparticuz/chromium', 'deno', 'pg-native', 'bufferutil', 'utf-8-validate'];
    expect(missing.filter((name) => !optional.includes(name))).toEqual([]);
  });

  it('names exact versions, but of Arrow, whose objects its users hand over from the same copy', () => {
    const ranges = Object.entries(manifest.dependencies!).filter(
      ([, range]) => !/^\d+\.\d+\.\d+$/.test(range),
    );
    expect(ranges.map(([name]) => name)).toEqual(['apache-arrow']);
  });

  it('carries the licences of what is in its bundles', () => {
    const file = 'dist/THIRD-PARTY-LICENSES.txt';
    expect(paths).toContain(file);
    const sections = readFileSync(file, 'utf8')
      .split(/^-{80}\n/m)
      .slice(1);
    const texts = new Map(
      sections.map((section) => [/^(\S+) \d/.exec(section)?.[1], section.slice(section.indexOf('\n'))]),
    );
    // The project that `tabgrad init` writes imports the package itself.
    const carried = [...importedPackages()].filter(
      (name) => name !== manifest.name && !(name in manifest.dependencies!),
    );
    expect(carried).toEqual(expect.arrayContaining(['@tensorflow/tfjs', 'comlink', 'kysely', 'pg']));
    // Their own dependencies with them.
    for (const name of [...carried, '@tensorflow/tfjs-layers', '@msgpack/msgpack', 'pg-pool', 'fzstd']) {
      expect(texts.get(name), name).toMatch(/copyright/i);
      expect(texts.get(name), name).toMatch(/permission|Apache License/i);
    }
  });

  it('takes less than 250 MiB with all that is installed with it', () => {
    const packages = [...installedWith('.')];
    const own = files.reduce((sum, { size }) => sum + blocks(size), 0);
    expect(own).toBeLessThan(24 * MIB);
    const total = packages.reduce((sum, folder) => sum + bytesOnDisk(folder), own);
    // More than half of it is webgpu, one package with Dawn for five platforms.
    expect(total).toBeGreaterThan(150 * MIB);
    expect(total).toBeLessThan(250 * MIB);
    // A few more on platforms whose binaries come in several packages.
    expect(packages.length).toBeLessThan(30);
    expect(packages.filter((folder) => folder.includes('@tensorflow'))).toEqual([]);
  });
});
