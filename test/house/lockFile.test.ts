// package-lock.json is what the image is installed from, and what every clone takes: complete, and with a hash for each package.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface LockEntry {
  version?: string;
  integrity?: string;
  resolved?: string;
}

const script = resolve('scripts/completeLock.mjs');
const text = readFileSync('package-lock.json', 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tabgrad-lock-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Checks the file after `change`, in a folder of its own. @returns what it lacks; undefined when it is complete. */
function problemsOf(
  change: (packages: Record<string, LockEntry>) => void = () => undefined,
): string | undefined {
  const lock = JSON.parse(text) as { packages: Record<string, LockEntry> };
  change(lock.packages);
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) return stderr;
  expect(stdout).toMatch(/^package-lock\.json: \d{3,} packages, each with its hash/);
  return undefined;
}

const binary = 'node_modules/@libsql/darwin-arm64';

describe('package-lock.json', () => {
  it('has the binaries of every platform, a hash for each package, and no registry', () => {
    expect(problemsOf()).toBeUndefined();
  });

  it('is refused without the binary of another platform, which npm ci would miss there', () => {
    expect(problemsOf((packages) => delete packages[binary])).toContain('lacks @libsql/darwin-arm64@');
  });

  it('is refused with a package that nobody could check', () => {
    expect(problemsOf((packages) => delete packages[binary]!.integrity)).toContain(`${binary}: no SHA-512`);
    expect(
      problemsOf((packages) => (packages[binary]!.integrity = 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=')),
    ).toContain(`${binary}: no SHA-512`);
  });

  it('is refused with the address of a registry', () => {
    expect(problemsOf((packages) => (packages[binary]!.resolved = 'https://example.org/a.tgz'))).toContain(
      `${binary}: names a registry`,
    );
  });
});
