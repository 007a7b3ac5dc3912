// What users install: everything that it needs, and nothing of the tests.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

/** Packages that a bundle loads: `import … from "x"`, `import "x"`, `import("x")`, `require.resolve("x")`. */
function packagesOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const loaded = text.matchAll(
    /(?:^import\s[^;'"]*?from\s*|^import\s*|\bimport\(|^export\s[^;'"]*?from\s*)["']([^"']+)["']/gm,
  );
  return [...loaded]
    .map(([, specifier]) => specifier!)
    .filter((specifier) => !/^(\.|\/|node:|data:)/.test(specifier) && !builtinModules.includes(specifier))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

describe('the package', () => {
  it(
    'has its command, its entry, workers and pages, and no tests or sources',
    { timeout: 60_000 },
    async () => {
      const { stdout } = await promisify(execFile)(
        'npm',
        ['pack', '--dry-run', '--json', '--ignore-scripts'],
        {
          timeout: 50_000,
          maxBuffer: 16 * 1024 * 1024,
        },
      );
      const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
      const paths = packed.files.map(({ path }) => path);
      const entries = [...Object.values(manifest.bin), manifest.exports['.']!.default];
      for (const path of [
        ...entries,
        'dist/node/worker.js',
        'dist/deno/worker.js',
        'dist/owner/tabgrad.js',
        'dist/page/join.html',
      ]) {
        expect(paths).toContain(path.replace(/^\.\//, ''));
      }
      for (const path of ['README.md', 'LICENSE', 'CHANGELOG.md']) expect(paths).toContain(path);
      const surplus = paths.filter(
        (path) => /(^|\/)tests?\/|\.test\./.test(path) || /^(?!dist\/).*\.ts$/.test(path),
      );
      expect(surplus).toEqual([]);
    },
  );

  it('depends on every package that its bundles load', () => {
    const bundles = ['dist/node', 'dist/deno'].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.js'))
        .map((name) => `${folder}/${name}`),
    );
    const loaded = new Set(bundles.flatMap((file) => packagesOf(file)));
    expect([...loaded]).toEqual(expect.arrayContaining(['ws', 'pg', 'kysely']));
    const optional = ['@sparticuz/chromium', 'deno'];
    const missing = [...loaded].filter(
      (name) => !(name in manifest.dependencies) && !optional.includes(name),
    );
    expect(missing).toEqual([]);
  });
});
