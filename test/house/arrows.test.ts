// The linter's rules about who imports whom hold only as long as they fire: one rule's pattern can silence another's.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const importing = (from: string): string => `import { x } from '${from}';\nexport const y = x;\n`;
const using = (expression: string): string => `export const y = (): unknown => ${expression};\n`;

/** Path, text, rule that must refuse it. */
const refused: readonly (readonly [string, string, string])[] = [
  ...['../shared/a.ts', '../client/a.ts', '../coordinator/a.ts', '../test/a.ts', 'node:fs', 'fs', 'zod'].map(
    (from) =>
      [`kernels/from-${from.replaceAll(/\W/g, '_')}.ts`, importing(from), 'no-restricted-imports'] as const,
  ),
  ...['../client/a.ts', '../coordinator/a.ts', '../test/a.ts', 'node:fs', 'fs', 'ws'].map(
    (from) =>
      [`shared/from-${from.replaceAll(/\W/g, '_')}.ts`, importing(from), 'no-restricted-imports'] as const,
  ),
  ...['../coordinator/a.ts', '../test/a.ts', 'node:fs', 'path', 'ws', 'comlink', 'peer', 'webgpu'].map(
    (from) =>
      [`client/from-${from.replaceAll(/\W/g, '_')}.ts`, importing(from), 'no-restricted-imports'] as const,
  ),
  ['client/later.ts', using("import('../coordinator/a.ts')"), 'no-restricted-imports'],
  ...['../client/a.ts', '../test/a.ts'].map(
    (from) =>
      [
        `coordinator/from-${from.replaceAll(/\W/g, '_')}.ts`,
        importing(from),
        'no-restricted-imports',
      ] as const,
  ),
  ...['browser', 'deno', 'node'].map(
    (platform) =>
      [`client/a.${platform}.ts`, importing('../coordinator/a.ts'), 'no-restricted-imports'] as const,
  ),
  ['client/b.browser.ts', importing('node:fs'), 'no-restricted-imports'],
  ['client/c.browser.ts', importing('./x.node.ts'), 'no-restricted-imports'],
  ['client/c.node.ts', importing('./x.browser.ts'), 'no-restricted-imports'],
  ['client/d.browser.ts', using('process'), 'no-restricted-globals'],
  ['client/d.node.ts', using('document'), 'no-restricted-globals'],
  ...[
    'navigator',
    'Deno',
    'process',
    'document',
    'window',
    'RTCPeerConnection',
    'localStorage',
    'Buffer',
  ].flatMap((name) => [
    ...['kernels', 'shared', 'client'].map(
      (room) => [`${room}/use-${name}.ts`, using(name), 'no-restricted-globals'] as const,
    ),
    [`client/get-${name}.ts`, using(`globalThis.${name}`), 'no-restricted-properties'] as const,
  ]),
  ['shared/loop.ts', importing('./loopBack.ts'), 'no-cycle'],
  ['shared/loopBack.ts', importing('./loop.ts'), 'no-cycle'],
  ['shared/typeLoop.ts', "import type { X } from './typeLoopBack.ts';\nexport type Y = X;\n", 'no-cycle'],
  ['shared/typeLoopBack.ts', "import type { Y } from './typeLoop.ts';\nexport type X = Y;\n", 'no-cycle'],
  ['shared/default.ts', 'export default 1;\n', 'no-default-export'],
];

const accepted: readonly (readonly [string, string])[] = [
  ['shared/good.ts', importing('../kernels/a.ts') + "export { z } from 'zod';\n"],
  ['client/good.ts', importing('../shared/a.ts')],
  ['client/good.node.ts', importing('node:fs') + 'export const pid = process.pid;\n'],
  ['client/good.deno.ts', importing('./x.node.ts')],
  ['client/good.browser.ts', importing('comlink') + 'export const title = document.title;\n'],
  ['coordinator/good.ts', importing('node:fs') + 'export const pid = process.pid;\n'],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

describe('The linter', () => {
  const house = mkdtempSync(join(tmpdir(), 'tabgrad-arrows-'));
  const rulesOf = new Map<string, string[]>();

  beforeAll(() => {
    copyFileSync(join(root, '.oxlintrc.json'), join(house, '.oxlintrc.json'));
    for (const [path, text] of [...refused, ...accepted]) {
      mkdirSync(dirname(join(house, path)), { recursive: true });
      writeFileSync(join(house, path), text);
    }
    for (const { code, filename } of lint(house)) {
      rulesOf.set(filename, [...(rulesOf.get(filename) ?? []), code]);
    }
  });
  afterAll(() => rmSync(house, { recursive: true, force: true }));

  it.each(refused)('refuses %s', (path, _, rule) => {
    expect(rulesOf.get(path)).toContainEqual(expect.stringContaining(`(${rule})`));
  });

  it.each(accepted)('accepts %s', (path) => {
    expect(rulesOf.get(path)).toBeUndefined();
  });
});

/** It exits with 1 when it finds something. */
function lint(folder: string): readonly Diagnostic[] {
  const linter = join(root, 'node_modules/oxlint/bin/oxlint');
  try {
    execFileSync(process.execPath, [linter, '--format=json'], {
      cwd: folder,
      timeout: 60_000,
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout } = error as { stdout: Buffer };
    return (JSON.parse(stdout.toString()) as { diagnostics: Diagnostic[] }).diagnostics;
  }
  return [];
}
