// The headless browser of local tabs: its sandbox, its account, its variables, and when it is not started at all.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sandboxPolicy } from '../../../../coordinator/cluster/local/browserSandbox.ts';
import { findBrowser } from '../../../../coordinator/cluster/local/findBrowser.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import {
  isLinuxRoot,
  prepareUnprivileged,
} from '../../../../coordinator/cluster/local/unprivilegedBrowser.ts';
import { takeProcessLock } from '../../../../coordinator/files/processLock.ts';
import { processTree, type SeenProcess } from './processTree.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { LocalWorkersOptions } from '../../../../coordinator/cluster/local/localWorkersOptions.ts';

const TOKEN = 'the-join-token-of-this-test';
const secrets = {
  AWS_SECRET_ACCESS_KEY: 'the-key-of-another-service',
  PGPASSWORD: 'the-password-of-a-database',
  TABGRAD_ADMIN_TOKEN: 'the-admin-token-of-another',
  TABGRAD_TOKEN: TOKEN,
  GITHUB_TOKEN: 'the-token-of-a-forge',
};

let coordinator: Coordinator;
let folder: string;
const startedWorkers: LocalWorkers[] = [];
const warnings: string[] = [];
const lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tabgrad-sandbox-'));
  chmodSync(folder, 0o755);
  coordinator = await startCoordinator({ port: 0, joinToken: TOKEN });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  warnings.length = lines.length = 0;
  await Promise.all(startedWorkers.splice(0).map((localWorkers) => localWorkers.stop()));
});
afterAll(async () => {
  await coordinator.close();
  rmSync(folder, { recursive: true });
});

async function openTab(options: Partial<LocalWorkersOptions> = {}): Promise<number> {
  const localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: TOKEN,
    count: 1,
    runtime: 'browser',
    device: 'cpu',
    onWarning: (line) => warnings.push(line),
    onLine: (line) => lines.push(line),
    ...options,
  });
  startedWorkers.push(localWorkers);
  return localWorkers.workers[0]!.pid;
}

const renderersOf = (tree: readonly SeenProcess[]): readonly SeenProcess[] =>
  tree.filter(({ command }) => command.includes('--type=renderer'));
const ownNamespace = readlinkSync('/proc/self/ns/user');

/** Whether this machine lets a process without rights have a user namespace, which the sandbox is made of. */
function givesNamespaces(): boolean {
  const unshare = ['unshare', '--user', 'true'];
  const [command, ...args] =
    process.getuid?.() === 0 ? ['setpriv', '--reuid=65000', '--clear-groups', ...unshare] : unshare;
  return spawnSync(command!, args).status === 0;
}

/** A browser that has no sandbox: it says so in Chromium's words, and is the real one where it need not have one. */
async function browserWithoutSandbox(): Promise<string> {
  const real = await findBrowser();
  const file = join(folder, 'browser.sh');
  const environment = Object.entries(real.environment).map(([name, value]) => `${name}='${value}'`);
  const script = `#!/bin/sh
for word in "$@"; do
  if [ "$word" = --no-sandbox ]; then export ${environment.join(' ')} X=1; exec '${real.executablePath}' "$@"; fi
done
echo '[0101/000000.000000:FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If this is a container…' >&2
exit 1
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

describe('The browser of local tabs', () => {
  it('runs in its sandbox, under an account that is not root, without the secrets of this process', async () => {
    for (const [name, value] of Object.entries(secrets)) vi.stubEnv(name, value);
    vi.stubEnv('KEPT_FOR_WORKERS', 'a-setting');
    const tree = processTree(await openTab({ workerEnv: ['KEPT_FOR_WORKERS'] }));
    const renderers = renderersOf(tree);
    expect(renderers.length).toBeGreaterThan(0);
    const isSandboxed = renderers.every(
      ({ seccomp, userNamespace }) => seccomp === 2 && userNamespace !== ownNamespace,
    );
    // Where it can't be had, that is said; where the machine gives what it takes, it is had.
    expect({ isSandboxed, warnings: warnings.length }).toEqual(
      givesNamespaces() ? { isSandboxed: true, warnings: 0 } : { isSandboxed: false, warnings: 1 },
    );
    for (const { uid, command, variables } of tree) {
      if (isSandboxed) expect(uid).not.toBe(0);
      expect([...variables.values(), ...command].filter((text) => text.includes('the-'))).toEqual([]);
    }
    const [browser] = tree;
    expect(browser!.variables.get('PATH')).toBe(process.env['PATH']);
    expect(browser!.variables.get('KEPT_FOR_WORKERS')).toBe('a-setting');
    expect(browser!.command).not.toContain('--enable-unsafe-webgpu');
  }, 60_000);

  it('leaves nothing behind in the temporary folder', async () => {
    const mine = (): readonly string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith('tabgrad-browser-'));
    const before = mine();
    await openTab();
    const [localWorkers] = startedWorkers.splice(0);
    await localWorkers!.stop();
    expect(mine().filter((name) => !before.includes(name))).toEqual([]);
  }, 60_000);

  it('removes what a browser left whose process was killed, and nothing else', async () => {
    const made = ['dead', 'alive', 'unknown', 'readable'].map((name) =>
      mkdtempSync(join(tmpdir(), `tabgrad-browser-${name}`)),
    );
    const [dead, alive, unknown, readable] = made as [string, string, string, string];
    for (const folder of made) mkdirSync(join(folder, 'home'));
    chmodSync(readable, 0o755);
    for (const folder of [dead, readable]) takeProcessLock(join(folder, '.lock'))!();
    const lift = takeProcessLock(join(alive, '.lock'))!;
    try {
      await openTab();
      expect(made.filter((folder) => existsSync(folder))).toEqual(
        isLinuxRoot() ? [alive, unknown, readable] : made,
      );
    } finally {
      lift();
      for (const folder of made) rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  it('says when WebGPU is switched on for a software adapter', async () => {
    const [browser] = processTree(await openTab({ device: 'webgpu', softwareGpu: true }));
    expect(browser!.command).toContain('--enable-unsafe-webgpu');
    expect(lines).toContain('[browser] WebGPU is switched on with --enable-unsafe-webgpu.');
  }, 60_000);

  it("runs without it for one's own coordinator where it can't be had, and says so once", async () => {
    vi.stubEnv('TABGRAD_BROWSER', await browserWithoutSandbox());
    const renderers = renderersOf(processTree(await openTab()));
    expect(renderers.map(({ seccomp }) => seccomp)).toContain(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^The browser runs without its sandbox, .*your own: "No usable sandbox". .*user n/,
    );
  }, 60_000);

  it("is not started for a coordinator elsewhere where it can't be had, whatever its owner says", async () => {
    vi.stubEnv('TABGRAD_BROWSER', await browserWithoutSandbox());
    const elsewhere = { url: 'http://192.0.2.1:7070' };
    await expect(openTab(elsewhere)).rejects.toMatchObject({
      code: 'BROWSER_SANDBOX_MISSING',
      message: expect.stringMatching(
        /^The page of a coordinator elsewhere .*"No usable sandbox"\. /,
      ) as string,
    });
    await expect(openTab({ ...elsewhere, browserSandbox: false })).rejects.toMatchObject({
      code: 'BROWSER_SANDBOX_MISSING',
      message: expect.stringContaining('http://192.0.2.1:7070 is not on this machine') as string,
    });
    expect(warnings).toEqual([]);
  });

  it('runs without it when its owner says so', async () => {
    const renderers = renderersOf(processTree(await openTab({ browserSandbox: false })));
    expect(renderers.map(({ seccomp }) => seccomp)).toContain(0);
    expect(warnings).toEqual(['The browser runs without its sandbox, as it was told to.']);
  }, 60_000);

  it('is not handed to another account where that may not read it, and the message names the folder', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'tabgrad-closed-'));
    try {
      const browser = join(closed, 'chrome');
      writeFileSync(browser, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      await expect(prepareUnprivileged(browser)).rejects.toMatchObject({
        code: 'BROWSER_SANDBOX_MISSING',
        message: expect.stringContaining(`other accounts may not use ${closed}, where ${browser}`) as string,
      });
    } finally {
      rmSync(closed, { recursive: true });
    }
  });

  it('has no say about its sandbox where there is no browser', async () => {
    await expect(openTab({ runtime: 'node', browserSandbox: true })).rejects.toMatchObject({
      code: 'WORKER_SETTING_INVALID',
      place: { field: 'browserSandbox' },
    });
  });
});

describe('The policy of the sandbox', () => {
  const policy = (url: string, browserSandbox?: boolean, said?: string, isOwnCoordinator?: boolean): string =>
    sandboxPolicy(
      { url, browserSandbox, isOwnCoordinator },
      said === undefined ? {} : { TABGRAD_BROWSER_SANDBOX: said },
    );

  it.each([
    ['http://127.0.0.1:7070'],
    ['http://127.1.2.3:7070'],
    ['http://localhost:7070'],
    ['https://swarm.localhost'],
    ['http://[::1]:7070'],
  ])('takes %s for this machine', (url) => {
    expect(policy(url)).toBe('preferred');
    expect(policy(url, false)).toBe('off');
    expect(policy(url, undefined, 'off')).toBe('off');
    expect(policy(url, true, 'off')).toBe('preferred');
  });

  it.each([
    ['http://10.0.0.1:7070'],
    ['https://train.example.org'],
    ['http://127.0.0.1.example.org'],
    ['http://localhost.example.org'],
    ['http://[::2]:7070'],
  ])('takes %s for another', (url) => {
    expect(policy(url)).toBe('required');
    expect(policy(url, undefined, undefined, true)).toBe('preferred');
    expect(() => policy(url, undefined, 'off')).toThrow(/switched off, but .* is not on this machine/);
  });

  it('knows two words', () => {
    expect(() => policy('http://127.0.0.1', undefined, 'no')).toThrow(/is "no"; expected "on" or "off"/);
  });
});
