import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockEntry>;
};

describe('package-lock.json', () => {
  it('has the binaries of every platform, without which npm ci refuses it (node scripts/completeLock.mjs adds them)', () => {
    const missing: string[] = [];
    for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const [name, version] of Object.entries(optionalDependencies)) {
        if (!/^\d+\.\d+\.\d+/.test(version)) continue;
        const isThere = Object.entries(packages).some(
          ([place, entry]) => place.endsWith(`node_modules/${name}`) && entry.version === version,
        );
        if (!isThere) missing.push(`${path} wants ${name}@${version}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('names no registry: each user takes packages from their own', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
});
