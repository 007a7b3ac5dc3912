// Scripts of a deployment: coturn's start, and the pinning of images. Programs that they call are stood in for.

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tabgrad-deploy-test-'));
  mkdirSync(join(folder, 'bin'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  return spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, ...env },
  });
}

/** A program of that name which does what the text says. */
function standIn(name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Values of one option of coturn's configuration. */
const valuesOf = (configuration: string, option: string): string[] =>
  [...configuration.matchAll(new RegExp(`^${option}(?:=(.*))?$`, 'gm'))].map(([, value = '']) => value);

describe('deploy/startTurn.sh', () => {
  const secret = '0123456789abcdef0123456789abcdef';
  const start = (env: Readonly<Record<string, string>>): SpawnSyncReturns<string> => {
    standIn('turnserver', 'echo "started with $*"; env | grep -c TURN_SECRET');
    return run('sh', [resolve('deploy/startTurn.sh')], { TURN_FOLDER: folder, ...env });
  };
  const written = (): string => readFileSync(join(folder, 'turnserver.conf'), 'utf8');

  it('hands the secret over in a file of its user, and neither by arguments nor by the environment', () => {
    const { status, stdout } = start({ TURN_SECRET: secret, DOMAIN: 'train.example.org' });
    expect(stdout).toBe(`started with -c ${join(folder, 'turnserver.conf')}\n0\n`);
    expect(status).toBe(1);
    expect(statSync(join(folder, 'turnserver.conf')).mode & 0o777).toBe(0o600);
    expect(valuesOf(written(), 'static-auth-secret')).toEqual([secret]);
    expect(valuesOf(written(), 'realm')).toEqual(['train.example.org']);
    expect(written()).toContain(readFileSync('deploy/turnserver.conf', 'utf8'));
  });

  it.each([
    ['no secret', {}, /TURN_SECRET.*is not set/],
    ['an empty one', { TURN_SECRET: '' }, /TURN_SECRET.*is not set/],
    ['a short one', { TURN_SECRET: 'north' }, /TURN_SECRET is too short: expected 16 characters/],
  ] as const)('refuses %s', (_, env, message) => {
    const { status, stdout, stderr } = start(env);
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('relays to the own address alone where it is told it', () => {
    start({ TURN_SECRET: secret, TURN_ADDRESS: '203.0.113.7' });
    expect(valuesOf(written(), 'allowed-peer-ip')).toEqual(['203.0.113.7']);
    expect(valuesOf(written(), 'denied-peer-ip')).toContain('0.0.0.0-255.255.255.255');
    start({ TURN_SECRET: secret });
    expect(valuesOf(written(), 'allowed-peer-ip')).toEqual([]);
  });
});

describe('deploy/turnserver.conf', () => {
  const configuration = readFileSync('deploy/turnserver.conf', 'utf8');
  // Two lists: in one, IPv4 addresses would be those that are mapped into IPv6.
  const denied = { ipv4: new BlockList(), ipv6: new BlockList() };
  const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4');
  for (const range of valuesOf(configuration, 'denied-peer-ip')) {
    const [first = '', last = first] = range.split('-');
    denied[familyOf(first)].addRange(first, last, familyOf(first));
  }
  const isDenied = (address: string): boolean => denied[familyOf(address)].check(address, familyOf(address));

  it.each([
    ['this machine', ['127.0.0.1', '127.8.0.1', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']],
    ['private networks', ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fdff::1']],
    [
      'networks of carriers, links and tests',
      ['100.64.0.1', '100.127.255.255', '169.254.169.254', 'fe80::1', 'febf::1', '198.18.0.1'],
    ],
    ['many at once', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    ['IPv4 inside IPv6', ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', '2001:0:a00:1::']],
  ])('denies %s', (_, addresses) => {
    for (const address of addresses) expect(isDenied(address), address).toBe(true);
  });

  it('lets public hosts be reached', () => {
    for (const address of [
      '8.8.8.8',
      '100.63.255.255',
      '100.128.0.0',
      '172.32.0.1',
      '2606:4700::1111',
      '2a00::1',
    ])
      expect(isDenied(address), address).toBe(false);
  });

  it('relays UDP alone, with credentials that expire, and to each worker a bounded amount', () => {
    for (const flag of ['no-tcp-relay', 'use-auth-secret', 'no-multicast-peers'])
      expect(valuesOf(configuration, flag)).toEqual(['']);
    for (const bound of ['user-quota', 'total-quota', 'max-bps'])
      expect(Number(valuesOf(configuration, bound)[0])).toBeGreaterThan(0);
    expect(configuration).not.toMatch(/^(static-auth-secret|no-auth|lt-cred-mech|user=|allowed-peer-ip)/m);
  });
});

describe('scripts/pinImages.mjs', () => {
  const script = resolve('scripts/pinImages.mjs');
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  beforeEach(() => {
    for (const file of ['Dockerfile', 'compose.yaml']) cpSync(file, join(folder, file));
  });

  it('writes the digest of each image behind its tag, once', () => {
    standIn(
      'docker',
      `case "$*" in 'buildx imagetools inspect '*) echo sha256:${'ab'.repeat(32)};; *) exit 3;; esac`,
    );
    expect(run(process.execPath, [script, '--check']).stderr).toContain('compose.yaml: coturn/coturn:');
    for (let time = 0; time < 2; time += 1) {
      expect(run(process.execPath, [script])).toMatchObject({ status: 0, stderr: '' });
      const images = [
        ...`${read('Dockerfile')}${read('compose.yaml')}`.matchAll(/(?:_IMAGE=|image: )(.*:.*)/g),
      ];
      expect(images).toHaveLength(6);
      for (const [, image] of images) expect(image).toMatch(/^[\w./-]+:[\w.-]+@sha256:(ab){32}$/);
    }
    expect(run(process.execPath, [script, '--check']).status).toBe(0);
    const pin = new RegExp(`@sha256:(ab){32}`, 'g');
    expect(read('compose.yaml').replaceAll(pin, '')).toBe(
      readFileSync('compose.yaml', 'utf8').replaceAll(/@sha256:[0-9a-f]{64}/g, ''),
    );
  });

  it('writes nothing where one of them is not to be had', () => {
    standIn(
      'docker',
      `case "$*" in *postgres*) echo 'no such image' >&2; exit 1;; *) echo sha256:${'ab'.repeat(32)};; esac`,
    );
    const before = [read('Dockerfile'), read('compose.yaml')];
    expect(run(process.execPath, [script])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no such image') as string,
    });
    expect([read('Dockerfile'), read('compose.yaml')]).toEqual(before);
  });

  it('refuses an answer that is no digest', () => {
    standIn('docker', 'echo "<no value>"');
    expect(run(process.execPath, [script]).stderr).toContain('docker gave no digest of node:');
  });
});
